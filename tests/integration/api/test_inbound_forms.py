"""POST /api/v1/inbound: a patient's message is stored whatever it looks like."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic_chat.domain.messages.inbound import INBOUND_LIMIT
from clinic_chat.domain.queries.inbox import list_conversations
from clinic_chat.domain.queries.message_pages import messages_page
from tests.integration.api.api_fixtures import ClinicApi, clinic_api

PHONE = "+5511987654321"


@pytest.fixture
async def api(any_database_url: str) -> AsyncIterator[ClinicApi]:
    async with clinic_api(any_database_url) as api:
        yield api


async def deliver(
    api: ClinicApi, key: str = "1", name: Any = "Maria Souza", phone: str = PHONE, **fields: Any
) -> httpx.Response:
    request = {"patient": {"name": name, "phone": phone}, "externalId": key, "body": "Oi"} | fields
    # Halves of characters can be written in JSON, though not in UTF-8.
    headers = api.bearer | {"Content-Type": "application/json"}
    return await api.client.post("/api/v1/inbound", content=json.dumps(request), headers=headers)


async def stored(api: ClinicApi, **fields: Any) -> dict[str, Any]:
    """The message that a delivery became."""
    response = await deliver(api, **fields)
    assert response.status_code == 201, response.text
    message: dict[str, Any] = response.json()["message"]
    return message


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("Preparo:\x0bjejum de 8 h", "Preparo:\njejum de 8 h"),
        ("página 1\x0cpágina 2", "página 1\npágina 2"),
        ("resultado\x03 normal", "resultado normal"),
        ("a\x00b\u2028c\x85d\x9b", "ab\nc\nd"),
        ("cortado \ud83d", "cortado \ufffd"),
        ("👩‍👩‍👧‍👦 \u202e21 mg", "👩‍👩‍👧‍👦 21 mg"),
        ("", ""),
        (" \n\u200b\u3164", ""),
    ],
)
async def test_a_body_is_cleaned_and_never_refused(api: ClinicApi, body: str, kept: str) -> None:
    message = await stored(api, body=body)

    assert (message["body"], message["kind"]) == (kept, "text")
    (row,) = (await list_conversations(api.scope)).rows
    assert (row.inbound_count, row.preview) == (1, " ".join(kept.split()))


@pytest.mark.parametrize("letter", ["a", "\u00e9", "😀"])
async def test_the_longest_body_that_is_kept_comes_back_whole(api: ClinicApi, letter: str) -> None:
    body = letter * INBOUND_LIMIT
    message = await stored(api, body=body)

    assert message["body"] == body
    assert message["bodyLength"] == 0


async def test_of_a_longer_body_the_beginning_is_kept_and_the_rest_is_told(api: ClinicApi) -> None:
    body = "x" * (INBOUND_LIMIT + 1)
    message = await stored(api, body=body)

    assert message["body"] == body[:INBOUND_LIMIT]
    assert message["bodyLength"] == len(body)
    again = await deliver(api, body=body)
    assert (again.status_code, again.json()["message"]) == (200, message)


async def test_the_length_of_the_longest_request_is_told(api: ClinicApi) -> None:
    message = await stored(api, body="x\x03" * 70_000 + "y" * 400_000)

    assert message["body"] == "x" * INBOUND_LIMIT
    assert message["bodyLength"] > 400_000


async def test_pages_show_the_beginning_of_long_bodies(api: ClinicApi) -> None:
    message = await stored(api, body="x" * 5_000)
    page = await messages_page(api.scope, message["conversationId"])

    assert [(view.body, view.body_length) for view in page.messages] == [("x" * 4_000, 5_000)]


@pytest.mark.parametrize(
    "kind", ["image", "audio", "video", "document", "location", "contact", "sticker", "unsupported"]
)
async def test_what_is_no_text_is_stored_by_its_kind(api: ClinicApi, kind: str) -> None:
    message = await stored(api, kind=kind, body=None)

    assert (message["kind"], message["body"]) == (kind, "")
    (row,) = (await list_conversations(api.scope)).rows
    assert (row.preview_kind, row.preview, row.inbound_count) == (kind, "", 1)


@pytest.mark.parametrize(
    ("fields", "kind", "body"),
    [
        ({"kind": "image", "body": None, "caption": "meu exame"}, "image", "meu exame"),
        ({"kind": "image", "body": "olhe", "caption": "meu exame"}, "image", "olhe\nmeu exame"),
        ({"kind": "image", "body": "exame", "caption": "exame"}, "image", "exame"),
        ({"body": None, "caption": "só legenda"}, "text", "só legenda"),
        ({"kind": "IMAGE ", "body": None}, "image", ""),
        ({"kind": "poll", "body": "qual?"}, "unsupported", "qual?"),
        ({"kind": "", "body": None}, "unsupported", ""),
        ({"attachments": [{"url": "https://x.example/1"}]}, "unsupported", "Oi"),
        ({"type": "image", "body": ""}, "unsupported", ""),
        ({"attachments": [], "context": None}, "text", "Oi"),
        ({"kind": "text", "clinic": "boreal"}, "text", "Oi"),
    ],
)
async def test_content_that_is_not_known_is_stored_and_said(
    api: ClinicApi, fields: dict[str, Any], kind: str, body: str
) -> None:
    message = await stored(api, **fields)
    assert (message["kind"], message["body"]) == (kind, body)


@pytest.mark.parametrize(
    "name",
    [
        None,
        "",
        " ",
        "\u3164",
        "\u2800",
        "\u115f",
        "\uffa0",
        "\u034f",
        "\U0001d159",
        "\u200d",
        "\ud83d",
        "~",
        ".",
        "unknown",
        "WhatsApp user",
        PHONE,
        "(11) 98765-4321",
    ],
)
async def test_whoever_has_no_name_is_shown_by_their_number(api: ClinicApi, name: Any) -> None:
    message = await stored(api, name=name)

    assert message["authorName"] == ""
    (row,) = (await list_conversations(api.scope)).rows
    assert (row.patient_name, row.patient_phone) == ("+55 11 98765-4321", PHONE)


async def test_the_name_may_be_left_out(api: ClinicApi) -> None:
    request = {"patient": {"phone": PHONE}, "externalId": "1", "body": "Oi"}
    response = await api.client.post("/api/v1/inbound", json=request, headers=api.bearer)
    assert response.status_code == 201


async def test_the_first_real_name_replaces_the_number_and_stays(api: ClinicApi) -> None:
    names = [PHONE, "Helena Prado", "", "João", "HELENA PRADO", "joão"]
    authors = [
        (await stored(api, key=str(number), name=name))["authorName"]
        for number, name in enumerate(names)
    ]

    assert authors == ["", "Helena Prado", "Helena Prado", "João", "Helena Prado", "joão"]
    (row,) = (await list_conversations(api.scope)).rows
    assert (row.patient_name, row.patient_other_names) == ("Helena Prado", ["joão"])


async def test_a_name_is_cut_and_has_no_directions_of_its_own(api: ClinicApi) -> None:
    await stored(api, name="\u202eanele\u202cH" + "👨‍👩‍👧" * 60)
    (row,) = (await list_conversations(api.scope)).rows
    assert row.patient_name == "aneleH" + "👨‍👩‍👧" * 22


@pytest.mark.parametrize(
    "spellings",
    [
        ["+551187650001", "+5511987650001", "(11) 98765-0001", "551187650001", "0 11 8765-0001"],
        ["(11) 3265-0001", "+551132650001"],
        ["maria.souza", "maria.souza"],
        ["x" * 500, "x" * 500],
    ],
)
async def test_one_number_is_one_patient_however_it_is_written(
    api: ClinicApi, spellings: list[str]
) -> None:
    for number, phone in enumerate(spellings):
        await stored(api, key=str(number), phone=phone)
    (row,) = (await list_conversations(api.scope)).rows
    assert row.inbound_count == len(spellings)


async def test_the_form_last_seen_is_the_one_that_is_shown(api: ClinicApi) -> None:
    for number, phone in enumerate(["+5511987650001", "+551187650001"]):
        await stored(api, key=str(number), phone=phone)
        (row,) = (await list_conversations(api.scope)).rows
        assert row.patient_phone == phone


async def test_others_are_others(api: ClinicApi) -> None:
    phones = ["(11) 3265-0001", "(11) 93265-0001", "+551187650001", "+551287650001", "maria", "ana"]
    for number, phone in enumerate(phones):
        await stored(api, key=str(number), phone=phone)
    assert len((await list_conversations(api.scope)).rows) == len(phones)


async def test_the_channels_time_is_shown_and_order_is_of_arrival(api: ClinicApi) -> None:
    begun = datetime.now(UTC)
    sent = begun.replace(microsecond=0) - timedelta(days=2)
    local = sent.astimezone(tz=datetime.now().astimezone().tzinfo)
    first = await stored(api, key="1")
    late = await stored(api, key="2", at=local.isoformat())

    assert datetime.fromisoformat(late["at"]) == sent
    assert begun - timedelta(seconds=1) <= datetime.fromisoformat(late["receivedAt"])
    assert (first["receivedAt"], first["seq"], late["seq"]) == ("", 1, 2)
    (row,) = (await list_conversations(api.scope)).rows
    assert row.last_activity_at == late["receivedAt"]


@pytest.mark.parametrize("at", ["yesterday", "2026-11-27T10:00:00", "1795000000", "", "\ud83d"])
async def test_a_time_that_says_nothing_is_the_servers(api: ClinicApi, at: str) -> None:
    begun = datetime.now(UTC) - timedelta(milliseconds=1)
    message = await stored(api, at=at)
    assert begun <= datetime.fromisoformat(message["at"]) <= datetime.now(UTC)
    assert message["receivedAt"] == ""


@pytest.mark.parametrize(
    ("offset", "is_kept"),
    [
        (timedelta(minutes=4), True),
        (timedelta(minutes=6), False),
        (timedelta(days=-29), True),
        (timedelta(days=-31), False),
    ],
)
async def test_a_time_that_cannot_be_right_is_the_servers(
    api: ClinicApi, offset: timedelta, is_kept: bool
) -> None:
    at = datetime.now(UTC).replace(microsecond=0) + offset
    message = await stored(api, at=at.isoformat().replace("+00:00", "Z"))
    assert (datetime.fromisoformat(message["at"]) == at) == is_kept


@pytest.mark.parametrize("key", ["k" * 900, "linha\nlinha", "nul\x00", "meio \ud83d", "\u202e"])
async def test_an_id_of_any_form_is_the_same_message_again(api: ClinicApi, key: str) -> None:
    first, again = await deliver(api, key=key), await deliver(api, key=key)
    other = await deliver(api, key=f"{key}2")
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 201)
    assert again.json() == first.json()


@given(
    name=st.none() | st.text(st.characters(codec=None), max_size=200),
    phone=st.text(st.characters(codec=None), max_size=80),
    body=st.text(st.characters(codec=None), max_size=200),
    kind=st.none() | st.text(max_size=12),
    at=st.none() | st.text(max_size=30),
    more=st.dictionaries(st.text(st.characters(codec=None), max_size=9), st.booleans()),
)
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_whatever_the_text_is_the_message_is_stored(api: ClinicApi, **fields: Any) -> None:
    fields["phone"] = "+55 " + fields["phone"]
    more = fields.pop("more")
    key = str(fields)
    unknown = {f"x{name}": value for name, value in more.items()}
    response = await deliver(api, key=key, **{**unknown, **fields})
    assert response.status_code in {200, 201}, response.text
