"""The key that seals what waits in a person's browser until it is stored here."""

import hashlib
import hmac
from uuid import UUID

_PURPOSE = b"clinic-chat browser storage 1"


def browser_key(secret: bytes, user_id: UUID, clinic_id: UUID) -> bytes:
    """32 bytes that are always the same for a person in a clinic, and tell nothing of `secret`.

    One block of HKDF-Expand with HMAC-SHA256 (RFC 5869, section 2.3). Nobody but this person's
    live session in this clinic may be given it.
    """
    info = _PURPOSE + user_id.bytes + clinic_id.bytes
    return hmac.new(secret, info + b"\x01", hashlib.sha256).digest()
