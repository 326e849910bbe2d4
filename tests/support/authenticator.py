"""A software authenticator: makes passkeys and signs challenges as devices do (WebAuthn)."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
FLAGS = PRESENT | VERIFIED
NO_MODEL = bytes(16)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Credential:
    """A key pair on the device."""

    key: ec.EllipticCurvePrivateKey
    id: bytes
    domain: str
    user_handle: str
    count: int = 0


@dataclass
class Authenticator:
    """A device with passkeys, and the browser in front of it, at the page `origin`.

    What a test changes here, such as `flags`, is what a dishonest device or page would say.
    """

    origin: str
    flags: int = FLAGS
    counts: bool = True
    credentials: list[Credential] = field(default_factory=list)

    def create(
        self,
        options: dict[str, Any],
        domain: str | None = None,
        like: Credential | None = None,
    ) -> dict[str, str]:
        """A new passkey, or one `like` another, as the form that the page posts."""
        credential = Credential(
            like.key if like else ec.generate_private_key(ec.SECP256R1()),
            like.id if like else secrets.token_bytes(32),
            options["rp"]["id"] if domain is None else domain,
            options["user"]["id"],
        )
        self.credentials.append(credential)
        numbers = credential.key.public_key().public_numbers()
        public_key = cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        )
        attested = NO_MODEL + len(credential.id).to_bytes(2) + credential.id + public_key
        data = self._data(credential, self.flags | ATTESTED) + attested
        return {
            "id": base64url(credential.id),
            "clientData": self._client_data("webauthn.create", options["challenge"]),
            "attestation": base64url(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
        }

    def get(self, options: dict[str, Any], credential: Credential | None = None) -> dict[str, str]:
        """The signed challenge, as the form that the page posts."""
        credential = credential or self.credentials[-1]
        credential.count += self.counts
        data = self._data(credential, self.flags)
        client_data = self._client_data("webauthn.get", options["challenge"])
        signed = data + hashlib.sha256(_decoded(client_data)).digest()
        return {
            "id": base64url(credential.id),
            "clientData": client_data,
            "authenticatorData": base64url(data),
            "signature": base64url(credential.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
            "userHandle": credential.user_handle,
        }

    def _data(self, credential: Credential, flags: int) -> bytes:
        domain = hashlib.sha256(credential.domain.encode()).digest()
        return domain + bytes([flags]) + credential.count.to_bytes(4)

    def _client_data(self, kind: str, challenge: str) -> str:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return base64url(json.dumps(told).encode())


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
