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
# On zxcvbn's scale of 0 to 4: at least 10^8 guesses, more than common passwords need.
STRONG_ENOUGH = 3
# Characters that zxcvbn rates, because it takes quadratic time.
RATED_LENGTH = 72
# The minimum length of personal words that count, and of a password without them.
OWN_PART_LENGTH = 3
LEFT_LENGTH = 8
PRODUCT = "clinic chat"

_hasher = PasswordHasher()
# Each verification takes 64 MiB and a core for some 50 ms; a flood of sign-ins must neither
# exhaust the memory nor keep everybody waiting.
queue = HashingQueue(at_once=2, waiting=40, waiting_per_party=20)


def check_new_password(password: str, own: Collection[str] = ()) -> None:
    """Refuse a password that is too short, too long, common, or made of personal data.

    `own` is the personal data: the email address, the name, the clinics. The rules are those of
    NIST SP 800-63B section 3.1.1.2 (a length, a blocklist, no composition), with zxcvbn's lists.

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
    """Whether `password` matches the hash that is read; takes as long when there is none.

    `read_hash` is called when the turn has come, so that waiting and refused requests do not
    query the database. A password over the maximum length matches nothing and costs nothing.

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
    # No valid password has lone surrogates, but a try with one must not raise an error.
    return _normal(password).encode("utf-8", "surrogatepass")


def _plain(text: str) -> str:
    """`text` without accents and case, and only its letters and digits."""
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
