"""Signatures of events, by the Standard Webhooks specification: HMAC-SHA256 with shared secrets."""

import base64
import secrets
from datetime import datetime

from standardwebhooks import Webhook as Signer

SECRET_PREFIX = "whsec_"  # noqa: S105 - how every secret begins
# The specification asks for 24 to 64.
SECRET_BYTES = 32


def new_secret() -> str:
    """A new secret, as its receiver gets it."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(keys: list[str], message_id: str, body: str, moment: datetime) -> dict[str, str]:
    """The headers of an attempt at this moment, with a signature by each of the secrets."""
    signatures = [Signer(key).sign(message_id, moment, body) for key in keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
