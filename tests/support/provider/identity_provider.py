"""A real, small OpenID provider over HTTPS, which can lie in every way."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from tests.support.provider.https_server import Answer, Asked, HttpsServer

CLIENT_ID = "clinic-chat"
CLIENT_SECRET = "the clinic's secret: +/%"
SECONDS = 3600

Key = RSAKey | ECKey


@dataclass
class Lies:
    """What the provider says instead of what is so; each is off at first."""

    document: dict[str, Any] = field(default_factory=dict)
    """Parts of the discovery document; None leaves one out."""
    claims: dict[str, Any] = field(default_factory=dict)
    """Claims of ID tokens; None leaves one out, and a timedelta is a time from now on."""
    token: Callable[[dict[str, Any]], str] | None = None
    """Makes the whole ID token of its claims."""
    answers: dict[str, Callable[[], Answer]] = field(default_factory=dict)
    """Whole answers by path."""
    refuses: str = ""
    """The error with which it sends people back."""


class IdentityProvider(HttpsServer):
    """Signs everybody in, at once, as the person of `subject` and `email`."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.lies = Lies()
        self.subject = "subject-1"
        self.email = "ana@aurora.example"
        self.email_verified = True
        self.algorithm = "RS256"
        self.keys: list[Key] = []
        self.rotate()
        self._codes: dict[str, dict[str, str]] = {}

    def rotate(self) -> None:
        """Sign with a new key, and forget those before."""
        if self.algorithm == "ES256":
            self.keys = [ECKey.generate_key("P-256", {"kid": secrets.token_hex(4)})]
        else:
            self.keys = [RSAKey.generate_key(2048, {"kid": secrets.token_hex(4)})]

    def signed(self, claims: dict[str, Any], key: Key | None = None, **header: Any) -> str:
        """An ID token with these claims."""
        key = key or self.keys[-1]
        headers = {"alg": self.algorithm, "kid": key.kid} | header
        return jwt.encode(headers, claims, key, algorithms=[headers["alg"]])

    def unsigned(self, claims: dict[str, Any]) -> str:
        """A token that says that it needs no signature."""
        return f"{_part({'alg': 'none'})}.{_part(claims)}."

    def signed_with_public_key(self, claims: dict[str, Any]) -> str:
        """A token whose secret is the public key, which everybody has."""
        head = f"{_part({'alg': 'HS256', 'kid': self.keys[-1].kid})}.{_part(claims)}"
        secret = self.keys[-1].as_pem(private=False)
        return f"{head}.{_base64(hmac.new(secret, head.encode(), hashlib.sha256).digest())}"

    def paths(self) -> list[str]:
        """What was asked for, without queries."""
        return [urlsplit(one.path).path for one in self.asked]

    def _answer(self, asked: Asked) -> Answer:
        path = urlsplit(asked.path).path
        if path in self.lies.answers:
            return self.lies.answers[path]()
        known: dict[str, Callable[[Asked], Answer]] = {
            "/.well-known/openid-configuration": lambda _: _json(self._document()),
            "/authorize": self._authorize,
            "/token": self._token,
            "/jwks": lambda _: _json({"keys": [key.as_dict(private=False) for key in self.keys]}),
        }
        return known[path](asked) if path in known else Answer(b"{}", 404)

    def _document(self) -> dict[str, Any]:
        return _without_none(
            {
                "issuer": self.origin,
                "authorization_endpoint": f"{self.origin}/authorize",
                "token_endpoint": f"{self.origin}/token",
                "jwks_uri": f"{self.origin}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "PS256", "ES256"],
                "code_challenge_methods_supported": ["S256"],
            }
            | self.lies.document
        )

    def _authorize(self, asked: Asked) -> Answer:
        query = dict(parse_qsl(urlsplit(asked.path).query))
        assert (query["response_type"], query["client_id"]) == ("code", CLIENT_ID)
        back = {"state": query["state"]}
        if self.lies.refuses:
            back |= {"error": self.lies.refuses, "error_description": "<b>Their words</b>"}
        else:
            code = secrets.token_urlsafe(24)
            self._codes[code] = query
            back["code"] = code
        location = f"{query['redirect_uri']}?{urlencode(back)}"
        return Answer(b"", 302, {"Location": location}, "text/html")

    def _token(self, asked: Asked) -> Answer:
        form = dict(parse_qsl(asked.body.decode()))
        began = self._codes.pop(form["code"], None)
        challenge = _base64(hashlib.sha256(form["code_verifier"].encode()).digest())
        if (
            began is None
            or self._client(asked, form) != (CLIENT_ID, CLIENT_SECRET)
            or began["code_challenge_method"] != "S256"
            or not hmac.compare_digest(challenge, began["code_challenge"])
            or began["redirect_uri"] != form["redirect_uri"]
        ):
            return _json({"error": "invalid_grant", "error_description": "Their words"}, 400)
        moment = int(time.time())
        claims = _without_none(
            {
                "iss": self.origin,
                "sub": self.subject,
                "aud": CLIENT_ID,
                "iat": moment,
                "exp": moment + SECONDS,
                "nonce": began["nonce"],
                "email": self.email,
                "email_verified": self.email_verified,
            }
            | {
                name: moment + int(value.total_seconds()) if isinstance(value, timedelta) else value
                for name, value in self.lies.claims.items()
            }
        )
        token = (self.lies.token or self.signed)(claims)
        return _json({"access_token": "x", "token_type": "Bearer", "id_token": token})

    def _client(self, asked: Asked, form: dict[str, str]) -> tuple[str, str]:
        kind, _, pair = asked.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            name, _, secret = base64.b64decode(pair).decode().partition(":")
            return unquote_plus(name), unquote_plus(secret)
        return form.get("client_id", ""), form.get("client_secret", "")


def _json(value: object, status: int = 200) -> Answer:
    return Answer(json.dumps(value).encode(), status)


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _part(value: object) -> str:
    return _base64(json.dumps(value).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
