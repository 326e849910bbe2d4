"""WebAuthn messages: what browsers are asked for, and the checks of what they answer."""

import asyncio
import base64
import binascii
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from clinic_chat.domain.accounts.passkeys.passkey import CREDENTIAL_ID_LIMIT, PUBLIC_KEY_LIMIT
from clinic_chat.domain.errors import InvalidInput

CHALLENGE_BYTES = 32
CHALLENGE_SECONDS = 300
"""How long a person may take to answer."""
NAME = "Clinic Chat"
# ES256, EdDSA and RS256: what devices and Windows make (IANA, COSE Algorithms).
ALGORITHMS = (-7, -8, -257)

Message = TypeVar("Message")
Verified = TypeVar("Verified")


class PasskeyRefused(InvalidInput):
    """The passkey's answer does not prove what it should."""

    code = "passkey_refused"


@dataclass(frozen=True)
class Site:
    """The page that asks: its origin, and the domain that its passkeys belong to."""

    origin: str
    domain: str


@dataclass(frozen=True)
class Creation:
    """A browser's answer to the wish for a new passkey, in base64url."""

    credential_id: str
    client_data: str
    attestation: str


@dataclass(frozen=True)
class Assertion:
    """A browser's answer to a challenge, in base64url."""

    credential_id: str
    client_data: str
    authenticator_data: str
    signature: str
    user_handle: str


@dataclass(frozen=True)
class NewKey:
    """What is kept of a new passkey, in base64url."""

    credential_id: str
    public_key: str
    sign_count: int


def creation_options(
    site: Site, challenge: bytes, user_id: UUID, email: str, name: str, known: Collection[str]
) -> dict[str, Any]:
    """What `navigator.credentials.create()` is asked for; `known` are credentials to leave out."""
    return {
        "rp": {"id": site.domain, "name": NAME},
        "user": {"id": encode(user_id.bytes), "name": email, "displayName": name},
        "challenge": encode(challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": number} for number in ALGORITHMS],
        "timeout": CHALLENGE_SECONDS * 1000,
        "excludeCredentials": _described(known),
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
    }


def request_options(site: Site, challenge: bytes, allowed: Collection[str] = ()) -> dict[str, Any]:
    """What `navigator.credentials.get()` is asked for; without `allowed` any passkey will do."""
    return {
        "rpId": site.domain,
        "challenge": encode(challenge),
        "timeout": CHALLENGE_SECONDS * 1000,
        "allowCredentials": _described(allowed),
        "userVerification": "required",
    }


async def verify_creation(site: Site, challenge: bytes, message: Creation) -> NewKey:
    """Check a new passkey: its challenge, site, user verification and key.

    Raises:
        PasskeyRefused: one of them is wrong.
    """
    return await _verify(_check_creation, site, challenge, message)


async def verify_assertion(
    site: Site, challenge: bytes, message: Assertion, public_key: str
) -> int:
    """Check a signature, its challenge, site and user verification. Returns the sign count.

    Raises:
        PasskeyRefused: one of them is wrong.
    """

    def check(site: Site, challenge: bytes, message: Assertion) -> int:
        return _check_assertion(site, challenge, message, decode(public_key))

    return await _verify(check, site, challenge, message)


def encode(data: bytes) -> str:
    """Base64url without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of a base64url text without padding, of which there is one for each bytes.

    Raises:
        ValueError: it is none.
    """
    try:
        data = base64.b64decode(
            text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True
        )
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("this is no base64url") from None
    if encode(data) != text:
        raise ValueError("this is no base64url")
    return data


def _described(ids: Collection[str]) -> list[dict[str, str]]:
    return [{"type": "public-key", "id": one} for one in ids]


async def _verify(
    check: Callable[[Site, bytes, Message], Verified],
    site: Site,
    challenge: bytes,
    message: Message,
) -> Verified:
    try:
        # In a thread, because the library takes a tenth of a second to load.
        return await asyncio.to_thread(check, site, challenge, message)
    except Exception as error:
        # The library and what it reads with raise errors of many kinds for bytes of any kind.
        raise PasskeyRefused(type(error).__name__) from None


def _check_creation(site: Site, challenge: bytes, message: Creation) -> NewKey:
    # Imported where it is needed: it takes 9 MB, and most people sign in without it.
    from webauthn import verify_registration_response
    from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography
    from webauthn.helpers.cose import COSEAlgorithmIdentifier
    from webauthn.helpers.structs import AuthenticatorAttestationResponse, RegistrationCredential

    found = verify_registration_response(
        credential=RegistrationCredential(
            id=message.credential_id,
            raw_id=decode(message.credential_id),
            response=AuthenticatorAttestationResponse(
                client_data_json=decode(message.client_data),
                attestation_object=decode(message.attestation),
            ),
        ),
        expected_challenge=challenge,
        expected_rp_id=site.domain,
        expected_origin=site.origin,
        require_user_verification=True,
        supported_pub_key_algs=[COSEAlgorithmIdentifier(number) for number in ALGORITHMS],
    )
    # A key that cannot be used must not be found out at the next sign-in.
    decoded_public_key_to_cryptography(decode_credential_public_key(found.credential_public_key))
    key = NewKey(encode(found.credential_id), encode(found.credential_public_key), found.sign_count)
    if key.credential_id != message.credential_id:
        raise ValueError("the message speaks of two credentials")
    if len(key.credential_id) > CREDENTIAL_ID_LIMIT or len(key.public_key) > PUBLIC_KEY_LIMIT:
        raise ValueError("the credential is too large")
    return key


def _check_assertion(site: Site, challenge: bytes, message: Assertion, public_key: bytes) -> int:
    from webauthn import verify_authentication_response
    from webauthn.helpers.structs import AuthenticationCredential, AuthenticatorAssertionResponse

    found = verify_authentication_response(
        credential=AuthenticationCredential(
            id=message.credential_id,
            raw_id=decode(message.credential_id),
            response=AuthenticatorAssertionResponse(
                client_data_json=decode(message.client_data),
                authenticator_data=decode(message.authenticator_data),
                signature=decode(message.signature),
            ),
        ),
        expected_challenge=challenge,
        expected_rp_id=site.domain,
        expected_origin=site.origin,
        credential_public_key=public_key,
        # The count is compared where it is stored, so that what goes back is told of.
        credential_current_sign_count=0,
        require_user_verification=True,
    )
    return found.new_sign_count
