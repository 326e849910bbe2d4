"""A provider that lies, and one that keeps the rules in its own way."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import RSAKey

from clinic_chat.outbound import client
from clinic_chat.outbound.client import ANSWER_BYTES
from tests.support.provider.https_server import Answer
from tests.support.provider.identity_provider import CLIENT_ID
from tests.support.provider.staff import SsoApi, reason, sso_api


@pytest.fixture
async def sso(any_database_url: str) -> AsyncIterator[SsoApi]:
    async with sso_api(any_database_url) as sso:
        yield sso


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another client"},
        {"aud": []},
        {"aud": {"a": "b"}},
        {"aud": None},
        {"aud": [CLIENT_ID, "another"]},
        {"aud": [CLIENT_ID, "another"], "azp": "another"},
        {"azp": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": -timedelta(minutes=2)},
        {"exp": "soon"},
        {"exp": None},
        {"iat": timedelta(minutes=10)},
        {"iat": -timedelta(hours=1)},
        {"iat": None},
        {"nbf": timedelta(minutes=10)},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"sub": "josé"},
    ],
    ids=str,
)
async def test_a_claim_that_is_not_right_starts_no_session(
    sso: SsoApi, claims: dict[str, Any]
) -> None:
    sso.provider.lies.claims = claims
    assert reason(await sso.come()) == "sso_failed"


async def test_an_audience_of_several_with_us_as_the_party_counts(sso: SsoApi) -> None:
    sso.provider.lies.claims = {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID}
    assert reason(await sso.come()) == ""


async def test_a_token_without_a_signature_is_none(sso: SsoApi) -> None:
    sso.provider.lies.token = sso.provider.unsigned
    assert reason(await sso.come()) == "sso_failed"


async def test_a_token_signed_with_the_public_key_is_none(sso: SsoApi) -> None:
    sso.provider.lies.token = sso.provider.signed_with_public_key
    assert reason(await sso.come()) == "sso_failed"


async def test_a_token_of_another_key_is_none(sso: SsoApi) -> None:
    theirs = RSAKey.generate_key(2048, {"kid": str(sso.provider.keys[0].kid)})
    sso.provider.lies.token = lambda claims: sso.provider.signed(claims, theirs)
    assert reason(await sso.come()) == "sso_failed"


async def test_a_token_of_another_algorithm_is_none(sso: SsoApi) -> None:
    sso.provider.lies.token = lambda claims: sso.provider.signed(claims, alg="RS512")
    assert reason(await sso.come()) == "sso_failed"


async def test_a_header_that_asks_for_what_is_unknown_is_refused(sso: SsoApi) -> None:
    sso.provider.lies.token = lambda claims: _with_critical(sso, claims)
    assert reason(await sso.come()) == "sso_failed"


def _with_critical(sso: SsoApi, claims: dict[str, Any]) -> str:
    key = sso.provider.keys[0]
    registry = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    header = {"alg": "RS256", "kid": key.kid, "crit": ["ours"], "ours": True}
    # The library would not write such a header itself.
    registry.check_header = lambda *_a, **_k: None  # type: ignore[method-assign]
    return jwt.encode(header, claims, key, registry=registry)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "." * 5, "é.é.é", "x" * 20_000])
async def test_what_is_no_token_is_none(sso: SsoApi, token: str) -> None:
    sso.provider.lies.token = lambda _: token
    assert reason(await sso.come()) == "sso_failed"


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
async def test_each_algorithm_that_counts_does(sso: SsoApi, algorithm: str) -> None:
    sso.provider.algorithm = algorithm
    sso.provider.rotate()
    assert reason(await sso.come()) == ""


async def test_a_new_key_counts_at_once_and_an_old_one_no_more(sso: SsoApi) -> None:
    assert reason(await sso.come()) == ""
    (old,) = sso.provider.keys
    sso.provider.rotate()
    assert reason(await sso.come()) == ""
    sso.provider.lies.token = lambda claims: sso.provider.signed(claims, old)
    assert reason(await sso.come()) == "sso_failed"


async def test_a_key_without_a_name_and_among_others_is_found(sso: SsoApi) -> None:
    sso.provider.keys = [RSAKey.generate_key(2048) for _ in range(2)]
    sso.provider.lies.token = lambda claims: _nameless(sso, claims)
    assert reason(await sso.come()) == ""


def _nameless(sso: SsoApi, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256"}, claims, sso.provider.keys[-1])


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"response_types_supported": ["id_token"]},
        {"response_types_supported": None},
        {"code_challenge_methods_supported": ["plain"]},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
        {"token_endpoint_auth_methods_supported": ["private_key_jwt"]},
        {"authorization_endpoint": "http://provider.test/authorize"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": None},
        {"token_endpoint": ["https://provider.test"]},
        {"jwks_uri": "https://user:word@provider.test/jwks"},
    ],
    ids=str,
)
async def test_a_document_that_is_not_right_leads_nowhere(
    sso: SsoApi, document: dict[str, Any]
) -> None:
    sso.provider.lies.document = document
    assert reason(await sso.come()) == "sso_unavailable"


@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri"])
async def test_a_document_with_an_address_of_our_own_network_leads_nowhere(
    sso: SsoApi, name: str
) -> None:
    """The host of the issuer is allowed here; others of this machine are not."""
    sso.provider.lies.document = {name: f"https://localhost:{sso.provider.port}/inside"}
    assert reason(await sso.come()) == "sso_unavailable"
    assert "/inside" not in sso.provider.paths()


async def test_a_secret_is_sent_in_the_form_where_the_header_is_not_taken(sso: SsoApi) -> None:
    sso.provider.lies.document = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert reason(await sso.come()) == ""
    (asked,) = [one for one in sso.provider.asked if one.path == "/token"]
    assert "Authorization" not in asked.headers


async def test_who_does_not_tell_their_challenges_is_believed(sso: SsoApi) -> None:
    sso.provider.lies.document = {"code_challenge_methods_supported": None}
    assert reason(await sso.come()) == ""


async def test_an_answer_in_another_providers_name_is_refused(sso: SsoApi) -> None:
    """RFC 9207: who names themselves in answers has to."""
    sso.provider.lies.document = {"authorization_response_iss_parameter_supported": True}
    assert reason(await sso.come()) == "sso_failed"
    browser = sso.api.browser()
    started = await sso.start(browser)
    back = await sso.at_provider(started.headers["location"])
    assert reason(await browser.get(f"{back}&iss=https://evil.example")) == "sso_failed"


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/jwks"])
@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"{}", 302, {"Location": "https://127.0.0.1/"}),
        Answer(b"<html>", media_type="text/html"),
        Answer(b'{"a":"' + b"x" * ANSWER_BYTES + b'"}'),
        Answer(b"{}", 500),
    ],
    ids=["redirect", "html", "huge", "error"],
)
async def test_an_answer_of_another_kind_starts_no_session(
    sso: SsoApi, path: str, answer: Answer
) -> None:
    sso.provider.lies.answers[path] = lambda: answer
    assert reason(await sso.come()) == "sso_unavailable"


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/jwks"])
async def test_a_slow_provider_is_given_up(
    sso: SsoApi, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "DEADLINE_SECONDS", 0.5)

    def wait() -> Answer:
        sso.provider.over.wait(20)
        return Answer()

    sso.provider.lies.answers[path] = wait
    assert reason(await sso.come()) == "sso_unavailable"


@pytest.mark.parametrize(
    "keys",
    [{}, {"keys": "x"}, {"keys": [None, 1, {}]}, {"keys": [{"kty": "RSA", "n": "!", "e": 1}]}],
)
async def test_keys_that_are_none_verify_nothing(sso: SsoApi, keys: dict[str, Any]) -> None:
    sso.provider.lies.answers["/jwks"] = lambda: Answer(json.dumps(keys).encode())
    assert reason(await sso.come()) == "sso_failed"
