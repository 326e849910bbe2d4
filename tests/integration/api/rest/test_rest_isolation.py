"""Every operation of the API is one clinic's, and for those who may: the list is the code's own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from clinic_chat.domain.accounts.api_tokens import GRANTABLE, READS
from clinic_chat.domain.accounts.permissions import Permission
from clinic_chat.domain.accounts.users import Membership
from clinic_chat.domain.clinics.actors import Role
from clinic_chat.domain.webhooks.delivery import DeliveryStatus, WebhookDelivery
from clinic_chat.storage.base import new_id, now
from tests.integration.api.api_fixtures import ClinicApi
from tests.integration.api.rest.program import Program, program_of, refusal

PHONE, OTHER_PHONE = "+5511987654321", "+5511987650000"
NAME = "Zilda Quaresma"
WEBHOOK = {"url": "https://agenda.invalid/x", "eventTypes": ["message:new"]}


@dataclass(frozen=True)
class There:
    """What there is in Aurora."""

    conversation: str
    message: str
    patient: str
    identity: str
    other_patient: str
    webhook: str
    delivery: str
    colleague: str

    def fill(self, path: str) -> str:
        """A path with these ids in it."""
        return path.format(
            conversation_id=self.conversation,
            message_id=self.message,
            patient_id=self.patient,
            identity_id=self.identity,
            webhook_id=self.webhook,
            delivery_id=self.delivery,
        )


Body = Callable[[There], Any]
BODIES: dict[str, Body] = {
    "POST /api/v1/conversations": lambda x: {"patientId": x.patient},
    "PATCH /api/v1/conversations/{conversation_id}": lambda x: {"assigneeId": x.colleague},
    "POST /api/v1/conversations/{conversation_id}/messages": lambda _: {
        "body": "Olá",
        "clientId": "walk",
    },
    "POST /api/v1/patients": lambda _: {"name": "Nova"},
    "PATCH /api/v1/patients/{patient_id}": lambda _: {"name": "Outro Nome"},
    "POST /api/v1/patients/{patient_id}/identities": lambda _: {
        "kind": "external",
        "value": "P-9",
    },
    "POST /api/v1/patients/{patient_id}/merge": lambda x: {"intoPatientId": x.other_patient},
    "POST /api/v1/inbound": lambda _: {
        "patient": {"phone": "+5511900000001"},
        "body": "Oi",
        "externalId": "walk",
    },
    "POST /api/v1/messages/{message_id}/status": lambda _: {"status": "delivered"},
    "POST /api/v1/webhooks": lambda _: WEBHOOK,
    "PATCH /api/v1/webhooks/{webhook_id}": lambda _: {"description": "Outra"},
}
# They name nothing of the clinic's: who asks gets their own.
OF_ONES_OWN = {
    "GET /api/v1/conversations",
    "GET /api/v1/patients",
    "POST /api/v1/patients",
    "GET /api/v1/staff",
    "POST /api/v1/inbound",
    "GET /api/v1/me",
    "GET /api/v1/webhooks",
    "POST /api/v1/webhooks",
}
FOR_EVERY_TOKEN = {"GET /api/v1/me"}


def operations(api: ClinicApi) -> dict[str, dict[str, Any]]:
    """Every operation that the document has, by method and path."""
    paths: dict[str, dict[str, Any]] = api.app.openapi()["paths"]
    return {
        f"{method.upper()} {path}": data
        for path, methods in paths.items()
        for method, data in methods.items()
    }


async def call(program: Program, operation: str, there: There) -> Any:
    method, _, path = operation.partition(" ")
    body = BODIES[operation](there) if operation in BODIES else None
    return await program.ask(method, there.fill(path).removeprefix("/api/v1"), body)


@pytest.fixture
async def there(api: ClinicApi, program: Program) -> There:
    received = await program.deliver(PHONE, name=NAME)
    its = received["conversationId"]
    sent = await program.ask(
        "POST", f"/conversations/{its}/messages", {"body": "Olá", "clientId": "1"}
    )
    patient = (await program.get(f"/conversations/{its}"))["conversation"]["patientId"]
    record = (await program.get(f"/patients/{patient}"))["patient"]
    other = await program.add_patient(name="Zilda Q", phone=OTHER_PHONE)
    (colleague,) = (await program.get("/staff"))["staff"]
    webhook = (await program.ask("POST", "/webhooks", WEBHOOK)).json()["webhook"]["id"]
    return There(
        its,
        sent.json()["message"]["id"],
        patient,
        record["identities"][0]["id"],
        other["id"],
        webhook,
        await parked(api, webhook, its),
        colleague["id"],
    )


async def parked(api: ClinicApi, webhook: str, conversation: str) -> str:
    """A delivery that nobody has taken."""
    delivery = WebhookDelivery(
        id=new_id(),
        clinic_id=api.clinics["aurora"],
        webhook_id=UUID(webhook),
        event_seq=1,
        ordinal=0,
        type="message:new",
        conversation_id=UUID(conversation),
        event_type="message:new",
        event_version=1,
        event_payload={},
        event_at=now(),
        status=DeliveryStatus.PARKED,
    )
    async with api.scope.write() as session:
        session.add(delivery)
    return str(delivery.id)


async def everything(program: Program, there: There) -> list[Any]:
    return [
        await program.get("/conversations"),
        await program.get("/patients"),
        await program.get(f"/conversations/{there.conversation}/messages"),
        await program.get(f"/patients/{there.patient}"),
    ]


def test_every_operation_with_a_body_has_one_here(api: ClinicApi) -> None:
    taking = {name for name, data in operations(api).items() if "requestBody" in data}

    assert taking == set(BODIES)
    assert set(operations(api)) >= OF_ONES_OWN


def test_every_operation_of_the_api_asks_for_a_token(api: ClinicApi) -> None:
    assert [
        name for name, data in operations(api).items() if data.get("security") != [{"token": []}]
    ] == []


async def test_another_clinic_is_refused_everything_by_name(
    api: ClinicApi, program: Program, stranger: Program, there: There
) -> None:
    before = await everything(program, there)
    for operation in operations(api):
        answer = await call(stranger, operation, there)
        if operation in OF_ONES_OWN:
            assert answer.is_success, operation
            for text in (NAME, PHONE, *vars(there).values()):
                # Ana works in both clinics.
                assert text == there.colleague or text not in answer.text, operation
        else:
            assert refusal(answer)[:2] == (404, "not_found"), operation
    assert await everything(program, there) == before


async def test_what_is_another_clinics_looks_like_nothing(
    api: ClinicApi, stranger: Program, there: There
) -> None:
    nothing = There(*(str(uuid4()) for _ in range(8)))
    for operation in set(operations(api)) - OF_ONES_OWN:
        theirs = await call(stranger, operation, there)
        none = await call(stranger, operation, nothing)
        assert (theirs.status_code, theirs.text) == (none.status_code, none.text), operation


async def test_without_its_permission_an_operation_is_refused(
    api: ClinicApi, program: Program, there: There
) -> None:
    before = await everything(program, there)
    for operation, data in operations(api).items():
        if operation in FOR_EVERY_TOKEN:
            assert "x-permission" not in data
            continue
        needed = Permission(data["x-permission"])
        others = [one for one in GRANTABLE if one != needed and READS.get(one) != needed]
        answer = await call(await program_of(api, "aurora", others), operation, there)
        assert refusal(answer)[:2] == (403, "forbidden"), operation
    assert await everything(program, there) == before


async def test_with_its_permission_alone_an_operation_is_done(api: ClinicApi, there: There) -> None:
    # What takes something away comes last.
    last = ("DELETE", "POST /api/v1/patients/{patient_id}/merge")
    ordered = sorted(operations(api).items(), key=lambda one: one[0].startswith(last))
    for operation, data in ordered:
        alone = [data.get("x-permission", Permission.READ_STAFF)]
        if "/webhooks" in operation:
            # It carries messages.
            alone.append(Permission.READ_CONVERSATIONS)
        answer = await call(await program_of(api, "aurora", alone), operation, there)
        assert answer.is_success, (operation, answer.text)


async def test_a_new_patient_of_a_new_conversation_needs_its_permission_too(
    api: ClinicApi,
) -> None:
    body = {"patient": {"name": "Nova", "phone": PHONE}}
    for permissions, status in (
        (["conversations.change"], 403),
        (["patients.change"], 403),
        (["conversations.change", "patients.change"], 201),
    ):
        program = await program_of(api, "aurora", permissions)
        assert (await program.ask("POST", "/conversations", body)).status_code == status


async def test_without_a_token_nothing_is_answered(api: ClinicApi, there: There) -> None:
    for operation in operations(api):
        answer = await call(Program(api, ""), operation, there)
        assert answer.status_code == 401, operation


async def test_a_program_that_stands_for_an_auditor_reads_no_patient(
    api: ClinicApi, program: Program, there: There
) -> None:
    auditor = await program_of(api, "aurora", email="ana@aurora.example")
    async with api.services.database.write() as session:
        await session.execute(update(Membership).values(role=Role.AUDITOR))
    for operation in operations(api):
        if operation not in FOR_EVERY_TOKEN:
            answer = await call(auditor, operation, there)
            assert refusal(answer)[:2] == (403, "forbidden"), operation
