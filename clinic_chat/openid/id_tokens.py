"""ID tokens: a provider's signed word of who somebody is (OpenID Connect Core 1.0, 3.1.3.7)."""

from dataclasses import dataclass
from time import time
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from clinic_chat.openid.discovery import ALGORITHMS

TOKEN_LIMIT = 16 * 1024
KEYS_LIMIT = 50
SUBJECT_LIMIT = 255
EMAIL_LIMIT = 254
# Clocks differ; a token is made at the moment in which its person comes back.
LEEWAY_SECONDS = 60
AGE_SECONDS = 600
_KINDS: dict[str, type[RSAKey] | type[ECKey]] = {"RSA": RSAKey, "EC": ECKey}


class InvalidIdToken(Exception):
    """An ID token that does not count."""


@dataclass(frozen=True)
class Claims:
    """Who somebody is, as their provider says."""

    subject: str
    """Never another person's at the same provider."""
    email: str
    """"" when the provider tells none."""
    email_verified: bool


def verified_claims(
    token: object, keys: dict[str, Any], *, issuer: str, client_id: str, nonce: str
) -> Claims:
    """The claims of an ID token that the provider with these keys made for this sign-in.

    Raises:
        InvalidIdToken: the signature or a claim is not right.
    """
    if not isinstance(token, str) or len(token) > TOKEN_LIMIT:
        raise InvalidIdToken("no token, or a very long one")
    try:
        found = _signed(token, keys)
        claims = CodeIDToken(
            found.claims,
            found.header,
            options={
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": client_id},
            },
            params={"client_id": client_id, "nonce": nonce},
        )
        moment = int(time())
        claims.validate(now=moment, leeway=LEEWAY_SECONDS)
        issued = claims["iat"]
        if moment - issued > AGE_SECONDS + LEEWAY_SECONDS:
            raise InvalidIdToken("made long ago")
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        # Without the error's text, which may quote the token.
        raise InvalidIdToken(type(error).__name__) from None
    return _claims(found.claims)


def _claims(claims: dict[str, Any]) -> Claims:
    subject, email = claims.get("sub"), claims.get("email")
    if not isinstance(subject, str) or not 1 <= len(subject) <= SUBJECT_LIMIT:
        raise InvalidIdToken("no subject")
    if not subject.isascii() or not subject.isprintable():
        raise InvalidIdToken("no subject")
    if not isinstance(email, str) or len(email) > EMAIL_LIMIT or not email.isprintable():
        email = ""
    return Claims(subject, email, claims.get("email_verified") is True)


def _signed(token: str, keys: dict[str, Any]) -> jwt.Token:
    """The token, whose signature is of one of the keys."""
    # A provider may say more in a header than the standard names; what is critical is refused.
    registry = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    key_id = jws.extract_compact(token.encode("ascii")).headers().get("kid")
    failure: JoseError | ValueError = ValueError("no key")
    for key in _candidates(keys, key_id):
        try:
            return jwt.decode(token, key, algorithms=ALGORITHMS, registry=registry)
        except JoseError as error:
            failure = error
    raise failure


def _candidates(keys: dict[str, Any], key_id: object) -> list[RSAKey | ECKey]:
    """The provider's keys that may have made a signature: those of the name, if it has one."""
    listed = keys.get("keys")
    found: list[RSAKey | ECKey] = []
    for one in listed[:KEYS_LIMIT] if isinstance(listed, list) else []:
        if not isinstance(one, dict) or one.get("kty") not in _KINDS or one.get("use") == "enc":
            continue
        if key_id is not None and one.get("kid") != key_id:
            continue
        try:
            found.append(_KINDS[one["kty"]].import_key(one))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return found
