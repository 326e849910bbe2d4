"""The authorization code flow with PKCE (RFC 6749 section 4.1, RFC 7636)."""

import secrets
from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus
from uuid import UUID

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from clinic_chat.openid.discovery import Metadata
from clinic_chat.outbound.client import Outbound

SCOPE = "openid email profile"


@dataclass(frozen=True)
class Client:
    """What a clinic has registered at its provider."""

    client_id: str
    secret: str
    redirect_uri: str


@dataclass(frozen=True)
class Attempt:
    """The random words of one sign-in, which bind the answer, the token and the code to it."""

    state: str
    nonce: str
    verifier: str


def new_attempt() -> Attempt:
    """Words that nobody can guess, of 256 bits each."""
    return Attempt(*(secrets.token_urlsafe(32) for _ in range(3)))


def authorization_address(metadata: Metadata, client: Client, attempt: Attempt) -> str:
    """The address at the provider to which somebody is sent to sign in."""
    address: str = prepare_grant_uri(
        metadata.authorization_endpoint,
        client_id=client.client_id,
        response_type="code",
        redirect_uri=client.redirect_uri,
        scope=SCOPE,
        state=attempt.state,
        nonce=attempt.nonce,
        code_challenge=create_s256_code_challenge(attempt.verifier),
        code_challenge_method="S256",
    )
    return address


async def exchange_code(
    outbound: Outbound,
    owner: UUID,
    metadata: Metadata,
    client: Client,
    *,
    code: str,
    verifier: str,
) -> dict[str, Any]:
    """What the token endpoint answers to a code.

    Raises:
        OutboundError: with what went wrong; a code that does not count is `status`.
    """
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": verifier,
    }
    headers = {}
    if metadata.secret_in_form:
        fields |= {"client_id": client.client_id, "client_secret": client.secret}
    else:
        # Each is encoded before they are joined (RFC 6749 section 2.3.1).
        pair = f"{quote_plus(client.client_id)}:{quote_plus(client.secret)}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    return await outbound.post_form(owner, metadata.token_endpoint, fields, headers)
