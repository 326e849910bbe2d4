"""Browser storage key: seals unsent data of a person in their browser."""

import hashlib
import hmac
from uuid import UUID

_PURPOSE = b"clinic-chat browser storage 1"


def browser_key(secret: bytes, user_id: UUID, clinic_id: UUID) -> bytes:
    """A key of 32 bytes, always the same for a person in a clinic, that does not reveal `secret`.

    One block of HKDF-Expand with HMAC-SHA256 (RFC 5869, section 2.3). Only a live session of this
    person in this clinic may get it.
    """
    info = _PURPOSE + user_id.bytes + clinic_id.bytes
    return hmac.new(secret, info + b"\x01", hashlib.sha256).digest()
