"""Argon2id hashes of passwords, computed off the event loop."""

import asyncio
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()
# Each verification takes 64 MiB; a flood of sign-ins must not take the machine's memory.
_slots = asyncio.Semaphore(2)


async def hash_password(password: str) -> str:
    """The Argon2id hash of `password`, with its parameters."""
    async with _slots:
        return await asyncio.to_thread(_hasher.hash, password)


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether `password` made `password_hash`; takes as long when there is no hash."""
    async with _slots:
        return await asyncio.to_thread(_verify, password, password_hash)


def _verify(password: str, password_hash: str | None) -> bool:
    try:
        # A lone surrogate, which no password has, must not end in an error either.
        _hasher.verify(password_hash or _nobodys_hash(), password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hasher.hash("the password of nobody")
