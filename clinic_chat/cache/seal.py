"""Seals what is kept in Redis, and says where: its keys tell nobody what it is."""

import hmac
import os
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PURPOSE = b"shared cache"
NONCE_BYTES = 12


class CacheSeal:
    """Seals values with a key that is made of the server's; `epoch` changes it."""

    def __init__(self, signing_key: bytes, epoch: bytes) -> None:
        derived = hmac.new(signing_key, PURPOSE + b":" + epoch, sha256)
        self._cipher = AESGCM(derived.digest())
        self._places = hmac.new(signing_key, PURPOSE + b" places", sha256).digest()

    def place(self, name: str, places: int) -> int:
        """Which of so many places a name has; several names may have the same one."""
        digest = hmac.new(self._places, name.encode(), sha256).digest()
        return int.from_bytes(digest[:8]) % places

    def close(self, name: str, value: bytes) -> bytes:
        """The sealed value, which opens under this name alone."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, value, name.encode())

    def open(self, name: str, sealed: bytes) -> bytes | None:
        """The value, or None when it is another name's, another key's or not whole."""
        if len(sealed) <= NONCE_BYTES:
            return None
        nonce, text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, text, name.encode())
        except InvalidTag:
            return None
