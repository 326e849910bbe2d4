"""Passwords: the rules for new ones, and Argon2id hashes, computed off the event loop."""

import asyncio
import re
import unicodedata
from collections.abc import Awaitable, Callable, Collection
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from clinic_chat.domain.accounts.hashing_queue import LOW_PRIORITY, HashingQueue, QueueEntry
from clinic_chat.domain.errors import InvalidInput

PASSWORD_MINIMUM = 12
PASSWORD_MAXIMUM = 200
# Of zxcvbn's 0 to 4: at least 10^8 guesses, which the commonest and their variations do not need.
STRONG_ENOUGH = 3
# What zxcvbn looks at; it takes quadratic time.
RATED_LENGTH = 72
# A part of somebody's name or address that is worth noticing, and what has to be left without.
OWN_PART_LENGTH = 3
LEFT_LENGTH = 8
PRODUCT = "clinic chat"

_hasher = PasswordHasher()
# Each verification takes 64 MiB and a core for some 50 ms; a flood of sign-ins must take neither
# the machine's memory nor everybody's patience.
queue = HashingQueue(at_once=2, waiting=40, waiting_per_party=20)


def check_new_password(password: str, own: Collection[str] = ()) -> None:
    """Refuse a password that is too short, too long, common, or made of what is known of a person.

    `own` is what is known: the email address, the name, the clinic. The rules are those of NIST
    SP 800-63B section 3.1.1.2 (a length, a blocklist, no composition), with zxcvbn's lists.

    Raises:
        InvalidInput: `password_length`, `password_characters`, `password_personal` or
            `password_common`.
    """
    text = _normal(password)
    if not PASSWORD_MINIMUM <= len(text) <= PASSWORD_MAXIMUM:
        raise InvalidInput(
            f"a password has {PASSWORD_MINIMUM} to {PASSWORD_MAXIMUM} characters",
            code="password_length",
        )
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        raise InvalidInput("a password has no control characters", code="password_characters")
    parts = _own_parts(own)
    if len(_without(text, parts)) < LEFT_LENGTH and _without(text, parts) != _plain(text):
        raise InvalidInput(
            "the password is made of the person's address, name or clinic",
            code="password_personal",
        )
    # Imported where it is needed: its lists take a few megabytes, and signing in needs none.
    from zxcvbn import zxcvbn

    if zxcvbn(text[:RATED_LENGTH], user_inputs=parts)["score"] < STRONG_ENOUGH:
        raise InvalidInput(
            "the password is too common or too easy to guess", code="password_common"
        )


async def hash_password(password: str) -> str:
    """The Argon2id hash of `password`, with its parameters.

    Raises:
        QueueFull: too many passwords are being checked already.
    """
    async with queue.take(LOW_PRIORITY):
        return await asyncio.to_thread(_hasher.hash, _bytes(password))


async def verify_password(
    password: str, read_hash: Callable[[], Awaitable[str | None]], entry: QueueEntry = LOW_PRIORITY
) -> bool:
    """Whether `password` made the hash that is read; takes as long when there is none.

    It is read when the turn has come, so that those who wait or find no place ask nothing of the
    database. A password longer than any can be matches nothing and costs nothing.

    Raises:
        QueueFull: too many passwords are being checked already.
        Exception: whatever `entry.admit` or `read_hash` raises.
    """
    if len(password) > PASSWORD_MAXIMUM:
        return False
    async with queue.take(entry):
        return await asyncio.to_thread(_verify, password, await read_hash())


def _verify(password: str, password_hash: str | None) -> bool:
    try:
        _hasher.verify(password_hash or _nobodys_hash(), _bytes(password))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hasher.hash("the password of nobody")


def _normal(password: str) -> str:
    # Keyboards compose é differently (RFC 8265 section 4.2).
    return unicodedata.normalize("NFC", password)


def _bytes(password: str) -> bytes:
    # A lone surrogate, which no password has, must not end in an error.
    return _normal(password).encode("utf-8", "surrogatepass")


def _plain(text: str) -> str:
    """`text` without accents, case and whatever is neither letter nor digit."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in decomposed if character.isalnum())


def _own_parts(own: Collection[str]) -> list[str]:
    words = [word for text in (*own, PRODUCT) for word in re.split(r"[\W_]+", text)]
    parts = {_plain(text) for text in (*own, PRODUCT, *words)}
    return sorted((part for part in parts if len(part) >= OWN_PART_LENGTH), key=len, reverse=True)


def _without(text: str, parts: list[str]) -> str:
    left = _plain(text)
    for part in parts:
        left = left.replace(part, "")
    return left
