"""What administrators set of their clinic's provider, and what a look at it tells them."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import select

from clinic_chat.domain.administration.audit_trail import read_audit_trail
from clinic_chat.domain.errors import InvalidInput, NotFound
from clinic_chat.domain.single_sign_on.providers import IdentityProvider, provider_of, provider_seal
from clinic_chat.domain.single_sign_on.settings import (
    ProviderSettings,
    WantedProvider,
    check_provider,
    read_provider,
    remove_provider,
    save_provider,
)
from clinic_chat.outbound.client import Outbound
from clinic_chat.storage.database import Database
from tests.conftest import Clinics
from tests.support.provider.certificates import ADDRESS, certificates
from tests.support.provider.https_server import Answer
from tests.support.provider.identity_provider import IdentityProvider as Provider

SEAL = provider_seal(b"a key")
WANTED = WantedProvider("https://login.example.com", "clinic", "the secret", True)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    outbound = Outbound([ADDRESS], certificates().ca_file)
    yield outbound
    outbound.close()


async def test_a_provider_is_set_changed_and_removed_and_audited_without_its_secret(
    any_database: Database, clinics: Clinics
) -> None:
    assert await read_provider(clinics.ana, SEAL) is None
    await save_provider(clinics.ana, SEAL, WANTED)
    await save_provider(clinics.ana, SEAL, WantedProvider(WANTED.issuer, "clinic", "", True))
    await save_provider(
        clinics.ana, SEAL, WantedProvider(WANTED.issuer, "clinic", "new one", False)
    )

    assert await read_provider(clinics.ana, SEAL) == ProviderSettings(
        WANTED.issuer, "clinic", False, True
    )
    await remove_provider(clinics.ana)
    assert await read_provider(clinics.ana, SEAL) is None
    with pytest.raises(NotFound):
        await remove_provider(clinics.ana)

    removed, turned_off, first = (await read_audit_trail(clinics.ana)).entries
    assert [removed.action, turned_off.action, first.action] == [
        "provider.removed",
        "provider.set",
        "provider.set",
    ]
    assert first.details["changed"]["issuer"] == [None, WANTED.issuer]
    assert turned_off.details == {
        "changed": {"is_enabled": [True, False]},
        "secret": True,
        "sessions": 0,
    }
    assert "new one" not in str((removed, turned_off, first))
    assert "the secret" not in str((removed, turned_off, first))


async def test_a_stolen_database_holds_no_secret(any_database: Database, clinics: Clinics) -> None:
    await save_provider(clinics.ana, SEAL, WANTED)
    async with clinics.ana.read() as session:
        row = (await session.scalars(select(IdentityProvider))).one()

    assert "the secret" not in row.sealed_secret
    found = await provider_of(any_database, SEAL, "aurora")
    assert found is not None
    assert found.secret == "the secret"
    # With another key of the server's there is no provider until the secret is given again.
    other = provider_seal(b"another key")
    assert await provider_of(any_database, other, "aurora") is None
    shown = await read_provider(clinics.ana, other)
    assert shown is not None
    assert not shown.is_readable
    assert await provider_of(any_database, SEAL, "boreal") is None


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (WantedProvider("http://login.example.com", "c", "s", True), "issuer_invalid"),
        (WantedProvider("https://me@login.example.com", "c", "s", True), "issuer_invalid"),
        (WantedProvider("https://login.example.com?a=b", "c", "s", True), "issuer_invalid"),
        (WantedProvider("https://login.example.com#a", "c", "s", True), "issuer_invalid"),
        (WantedProvider(f"https://a.example/{'x' * 300}", "c", "s", True), "issuer_invalid"),
        (WantedProvider("", "c", "s", True), "issuer_invalid"),
        (WantedProvider(WANTED.issuer, "", "s", True), "client_id_invalid"),
        (WantedProvider(WANTED.issuer, "x" * 256, "s", True), "client_id_invalid"),
        (WantedProvider(WANTED.issuer, "c", "x" * 501, True), "secret_invalid"),
        (WantedProvider(WANTED.issuer, "c", "a\nb", True), "secret_invalid"),
        (WantedProvider(WANTED.issuer, "c", "", True), "secret_missing"),
    ],
)
async def test_what_cannot_be_is_refused(
    clinics: Clinics, wanted: WantedProvider, code: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await save_provider(clinics.ana, SEAL, wanted)
    assert refusal.value.code == code
    assert await read_provider(clinics.ana, SEAL) is None


async def test_a_look_at_a_provider_finds_nothing_wrong(
    clinics: Clinics, provider: Provider, outbound: Outbound
) -> None:
    found = await check_provider(clinics.ana, outbound, provider.origin)
    assert (found.problems, found.issuer) == ([], provider.origin)


async def test_a_look_at_a_provider_tells_all_that_is_wrong(
    clinics: Clinics, provider: Provider, outbound: Outbound
) -> None:
    provider.lies.document = {
        "issuer": "https://other.example",
        "response_types_supported": ["token"],
        "code_challenge_methods_supported": ["plain"],
        "jwks_uri": "http://other.example",
    }
    found = await check_provider(clinics.ana, outbound, provider.origin)
    assert found.issuer == "https://other.example"
    assert found.problems == ["issuer_differs", "endpoint_invalid", "no_code_flow", "no_s256"]


async def test_a_look_at_what_is_no_provider_tells_why(
    clinics: Clinics, provider: Provider, outbound: Outbound
) -> None:
    path = "/.well-known/openid-configuration"
    answers = {
        "not_json": Answer(b"<html>", media_type="text/html"),
        "status": Answer(b"{}", 404),
        "redirected": Answer(b"", 301, {"Location": "/"}),
    }
    for why, answer in answers.items():
        provider.lies.answers[path] = partial(replace, answer)
        assert (await check_provider(clinics.ana, outbound, provider.origin)).problems == [why]
    inside = f"https://localhost:{provider.port}"
    assert (await check_provider(clinics.ana, outbound, inside)).problems == ["address_private"]
    with pytest.raises(InvalidInput):
        await check_provider(clinics.ana, outbound, "http://login.example.com")
