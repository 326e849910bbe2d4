"""The endpoints for webhooks: a program subscribes, tests and looks after its deliveries."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from httpx import Response
from time_machine import travel

from clinic_chat.api.v1.webhooks import TESTS_PER_MINUTE
from clinic_chat.domain.accounts.api_tokens import create_token
from tests.integration.api.api_fixtures import EARLY_IN_A_MINUTE, ClinicApi, clinic_api
from tests.integration.webhooks.receiver import CA_FILE, Receiver, Sending, verified, write
from tests.support.provider.certificates import ADDRESS

TYPES = ["message:new"]


@pytest.fixture
async def api(any_database_url: str) -> AsyncIterator[ClinicApi]:
    options: Any = {"outbound_private_hosts": [ADDRESS], "outbound_ca_file": CA_FILE}
    async with clinic_api(any_database_url, **options) as api:
        yield api


async def asks(
    api: ClinicApi, method: str, path: str = "", body: object = None, token: str = ""
) -> Response:
    headers = {"Authorization": f"Bearer {token or api.token}"}
    return await api.client.request(method, f"/api/v1/webhooks{path}", json=body, headers=headers)


async def test_a_program_subscribes_tests_replays_and_leaves(api: ClinicApi) -> None:
    sending = Sending(api.services.database)
    with Receiver() as receiver:
        wanted = {"url": receiver.url, "eventTypes": TYPES, "description": "CRM"}
        created = await asks(api, "POST", "", wanted)
        assert created.status_code == 201
        webhook, secret = created.json()["webhook"], created.json()["secret"]
        path = f"/{webhook['id']}"
        assert webhook["state"] == "enabled"
        assert (await asks(api, "GET")).json() == {"webhooks": [webhook]}
        assert (await asks(api, "GET", path)).json() == {"webhook": webhook}

        assert (await asks(api, "POST", f"{path}/test")).json() == {
            "delivered": True,
            "status": 200,
            "error": "",
        }
        conversation = await write(api.scope, 1, 1)
        await sending.send_all()
        (delivery,) = (await asks(api, "GET", f"{path}/deliveries")).json()["deliveries"]
        assert (delivery["status"], delivery["conversationId"]) == ("delivered", conversation)
        replayed = await asks(api, "POST", f"{path}/deliveries/{delivery['id']}/replay")
        assert replayed.json()["delivery"]["status"] == "pending"
        again = await asks(api, "POST", f"{path}/deliveries/{delivery['id']}/replay")
        assert (again.status_code, again.json()["error"]["code"]) == (409, "delivery_pending")
        await sending.send_all()
        parked = await asks(api, "GET", f"{path}/deliveries?status=parked")
        assert parked.json() == {"deliveries": [], "cursor": ""}
        assert (await asks(api, "POST", f"{path}/replay")).json() == {"replayed": 0}

        rotated = (await asks(api, "POST", f"{path}/rotate")).json()["secret"]
        await asks(api, "POST", f"{path}/test")
        assert rotated != secret
        assert verified(secret, receiver.taken[-1]) == verified(rotated, receiver.taken[-1])
        changed = await asks(api, "PATCH", path, {"enabled": False, "description": "Agenda"})
        assert changed.json()["webhook"]["state"] == "disabled"
        assert changed.json()["webhook"]["description"] == "Agenda"
        assert changed.json()["webhook"]["url"] == receiver.url
        gone = await asks(api, "DELETE", path)
        assert (gone.status_code, gone.content) == (204, b"")
        assert (await asks(api, "GET", path)).status_code == 404
    await sending.worker.stop()

    assert [event.type for event in receiver.taken] == [
        *("webhook:test", "message:new", "message:new", "webhook:test")
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"url": "http://receiver.example", "eventTypes": TYPES}, "url_invalid"),
        ({"url": "https://10.0.0.1", "eventTypes": TYPES}, "url_invalid"),
        ({"url": "https://receiver.example", "eventTypes": []}, "event_types_invalid"),
        ({"url": "https://receiver.example"}, "missing_field"),
        ({"url": "https://receiver.example", "eventTypes": TYPES, "a": 1}, "unknown_field"),
        (
            {"url": "https://receiver.example", "eventTypes": TYPES, "description": "x" * 121},
            "description_invalid",
        ),
    ],
)
async def test_what_breaks_a_rule_is_refused(
    api: ClinicApi, body: dict[str, object], code: str
) -> None:
    refused = await asks(api, "POST", "", body)

    assert (refused.status_code, refused.json()["error"]["code"]) == (422, code)


async def test_it_takes_a_token_that_may(api: ClinicApi) -> None:
    clinic = api.clinics["aurora"]
    channel = await create_token(api.services.database, clinic, permissions=["messages.deliver"])
    blind = await create_token(api.services.database, clinic, permissions=["webhooks.manage"])
    body = {"url": "https://receiver.example", "eventTypes": TYPES}

    assert (await asks(api, "GET", token="nothing")).status_code == 401
    for method, wanted in (("GET", None), ("POST", body)):
        refused = await asks(api, method, "", wanted, channel)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")
    assert (await asks(api, "GET", token=blind)).status_code == 200
    assert (await asks(api, "POST", "", body, blind)).status_code == 403


async def test_what_is_not_there_or_another_clinics_is_not_found(api: ClinicApi) -> None:
    body = {"url": "https://receiver.example", "eventTypes": TYPES}
    created = await asks(api, "POST", "", body)
    boreal = await create_token(api.services.database, api.clinics["boreal"])

    for key in (created.json()["webhook"]["id"], str(uuid4()), "nothing"):
        for method, path, wanted in (
            *(("GET", "", None), ("PATCH", "", {}), ("DELETE", "", None)),
            *(("POST", "/rotate", None), ("POST", "/test", None), ("GET", "/deliveries", None)),
            *(("POST", "/replay", None), ("POST", f"/deliveries/{uuid4()}/replay", None)),
        ):
            refused = await asks(api, method, f"/{key}{path}", wanted, boreal)
            assert (refused.status_code, refused.json()["error"]["code"]) == (404, "not_found")


async def test_tests_are_few_in_a_minute(api: ClinicApi) -> None:
    with travel(EARLY_IN_A_MINUTE, tick=False):
        answers = [
            (await asks(api, "POST", f"/{uuid4()}/test")).status_code
            for _ in range(TESTS_PER_MINUTE + 1)
        ]

    assert answers == [404] * TESTS_PER_MINUTE + [429]
