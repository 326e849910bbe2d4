"""Who may do what: every use case asks the one table, and all three doors pass its answer on."""

import importlib
import inspect
import pkgutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

import clinic_chat.domain as domain
from clinic_chat.domain.accounts import permissions
from clinic_chat.domain.accounts.passkeys.messages import Creation, PasskeyRefused, Site
from clinic_chat.domain.accounts.permissions import OF_OTHERS, OF_ROLES, Permission, allows
from clinic_chat.domain.accounts.preferences import save_preferences
from clinic_chat.domain.accounts.second_factors.authenticator_app import Seal
from clinic_chat.domain.administration.audit_trail import read_audit_trail
from clinic_chat.domain.administration.clinic_settings import (
    change_clinic_settings,
    read_clinic_settings,
)
from clinic_chat.domain.administration.invitations import (
    invite,
    list_invitations,
    reset_password_link,
    revoke_invitation,
)
from clinic_chat.domain.administration.members import (
    activate_member,
    change_role,
    deactivate_member,
    end_sessions_of,
    list_members,
)
from clinic_chat.domain.administration.own_account import (
    change_name,
    change_password,
    check_own_password,
    end_browser,
    end_other_browsers,
    list_browsers,
)
from clinic_chat.domain.administration.passkeys import (
    add_passkey,
    begin_passkey,
    list_passkeys,
    remove_passkey,
    rename_passkey,
)
from clinic_chat.domain.administration.second_factors import (
    begin_factor,
    confirm_factor,
    read_own_factor,
    remove_factor_of,
    remove_own_factor,
)
from clinic_chat.domain.administration.tokens import (
    create_clinic_token,
    list_clinic_tokens,
    revoke_clinic_token,
)
from clinic_chat.domain.clinics.actors import (
    SYSTEM,
    Actor,
    PatientActor,
    Role,
    StaffActor,
    SystemActor,
    TokenActor,
)
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.assignment import (
    ConversationChange,
    assign,
    change_conversation,
    set_status,
)
from clinic_chat.domain.conversations.conversation import conversation_exists
from clinic_chat.domain.conversations.starting import start_conversation_with
from clinic_chat.domain.conversations.views import conversations_by_id, get_conversation
from clinic_chat.domain.errors import Forbidden, InvalidInput, NotFound
from clinic_chat.domain.events.log import events_after
from clinic_chat.domain.imports.importer import import_dialogues
from clinic_chat.domain.messages.delivery import report_status
from clinic_chat.domain.messages.drafts import recent_drafts, save_draft
from clinic_chat.domain.messages.read_markers import mark_read, mark_unread, read_markers
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.patient_records.changes import create_patient, rename_patient
from clinic_chat.domain.patient_records.identities import add_identity, remove_identity
from clinic_chat.domain.patient_records.merging import merge_patients
from clinic_chat.domain.patient_records.views import get_patient
from clinic_chat.domain.patients.entered_identities import EnteredPatient
from clinic_chat.domain.public_api.events import public_events
from clinic_chat.domain.queries.changes import changes_of
from clinic_chat.domain.queries.inbox import list_conversations, overview
from clinic_chat.domain.queries.message_pages import (
    extent_of,
    messages_between,
    messages_page,
    whole_body,
)
from clinic_chat.domain.queries.patient_pages import find_patients, list_patients
from clinic_chat.domain.queries.single_message import get_message
from clinic_chat.domain.queries.staff import list_staff
from clinic_chat.domain.queries.thread import read_thread_start
from clinic_chat.domain.reports.daily_messages import daily_messages
from clinic_chat.domain.retention.conversations import count_over_term, delete_over_term
from clinic_chat.domain.retention.events import delete_events
from clinic_chat.domain.retention.webhook_deliveries import delete_deliveries
from clinic_chat.domain.single_sign_on.settings import (
    WantedProvider,
    check_provider,
    list_linked_people,
    read_provider,
    remove_provider,
    save_provider,
    unlink_person,
)
from clinic_chat.domain.webhooks.deliveries import (
    list_deliveries,
    replay_delivery,
    replay_parked,
    send_test_event,
)
from clinic_chat.domain.webhooks.delivery import WebhookDelivery
from clinic_chat.domain.webhooks.queue import claim_deliveries, due_deliveries, finish_delivery
from clinic_chat.domain.webhooks.request import Outcome
from clinic_chat.domain.webhooks.settings import (
    change_webhook,
    create_webhook,
    delete_webhook,
    list_webhooks,
    read_webhook,
    rotate_secret,
)
from clinic_chat.domain.webhooks.state import disable_webhook
from clinic_chat.domain.webhooks.webhook import WebhookState
from clinic_chat.outbound.client import Outbound
from clinic_chat.realtime.server import RealtimeServer
from clinic_chat.services import Services
from clinic_chat.settings import Settings
from tests.conftest import PASSWORD, TEST_KEY, Clinics
from tests.integration.api.api_fixtures import ClinicApi, clinic_api
from tests.support.connections import SID, opened, workspace_feeds
from tests.support.sending import send_message

pytestmark = pytest.mark.usefixtures("any_database")

PHONE = "+5511987654321"
SEAL = Seal(b"a key")
# It is refused before anybody is asked.
ISSUER = "https://127.0.0.1"
RECEIVER = "https://receiver.example"
ID = uuid4()
SITE = Site("https://inbox.example", "inbox.example")
# They read the log and the clinic's numbers for readers that ask for themselves.
OF_NO_PERMISSION = {
    "events_after",
    "subject_events_after",
    "last_seq",
    "personal_version",
    "advance",
}
# The server itself and programs have no drafts and no markers.
OF_ONE_PERSON = {
    "mark_read",
    "mark_unread",
    "read_thread_start",
    "read_markers",
    "save_draft",
    "recent_drafts",
    "save_preferences",
    "send",
    "change_name",
    "change_password",
    "list_browsers",
    "end_browser",
    "end_other_browsers",
    "read_own_factor",
    "begin_factor",
    "confirm_factor",
    "remove_own_factor",
    "check_own_password",
    "list_passkeys",
    "begin_passkey",
    "add_passkey",
    "rename_passkey",
    "remove_passkey",
}


@dataclass(frozen=True)
class Stored:
    """What there is in the clinic."""

    conversation: str
    message: str
    file: Path
    colleague: str
    patient: str


UseCase = Callable[[ClinicScope, Stored], Awaitable[object]]
USE_CASES: dict[str, tuple[Permission, UseCase]] = {
    "list_conversations": (Permission.READ_CONVERSATIONS, lambda s, _: list_conversations(s)),
    "overview": (Permission.READ_CONVERSATIONS, lambda s, _: overview(s)),
    "messages_page": (
        Permission.READ_CONVERSATIONS,
        lambda s, x: messages_page(s, x.conversation),
    ),
    "extent_of": (Permission.READ_CONVERSATIONS, lambda s, x: extent_of(s, x.conversation)),
    "messages_between": (
        Permission.READ_CONVERSATIONS,
        lambda s, x: messages_between(s, x.conversation, 1, 1),
    ),
    "whole_body": (Permission.READ_CONVERSATIONS, lambda s, x: whole_body(s, x.conversation, 1)),
    "read_thread_start": (
        Permission.READ_CONVERSATIONS,
        lambda s, x: read_thread_start(s, x.conversation),
    ),
    "get_conversation": (
        Permission.READ_CONVERSATIONS,
        lambda s, x: get_conversation(s, x.conversation),
    ),
    "conversation_exists": (
        Permission.READ_CONVERSATIONS,
        lambda s, x: conversation_exists(s, x.conversation),
    ),
    "conversations_by_id": (
        Permission.READ_CONVERSATIONS,
        lambda s, x: conversations_by_id(s, [UUID(x.conversation)]),
    ),
    "public_events": (Permission.READ_CONVERSATIONS, lambda s, _: _public_events(s)),
    "changes_of": (Permission.READ_CONVERSATIONS, lambda s, _: _changes(s)),
    "mark_read": (Permission.READ_CONVERSATIONS, lambda s, x: mark_read(s, x.conversation, 1)),
    "mark_unread": (Permission.READ_CONVERSATIONS, lambda s, x: mark_unread(s, x.conversation)),
    "read_markers": (
        Permission.READ_CONVERSATIONS,
        lambda s, x: read_markers(s, [UUID(x.conversation)]),
    ),
    "set_status": (
        Permission.CHANGE_CONVERSATIONS,
        lambda s, x: set_status(s, x.conversation, "open"),
    ),
    "assign": (Permission.CHANGE_CONVERSATIONS, lambda s, x: assign(s, x.conversation, "", "")),
    "change_conversation": (
        Permission.CHANGE_CONVERSATIONS,
        lambda s, x: change_conversation(s, x.conversation, ConversationChange("open")),
    ),
    "start_conversation_with": (
        Permission.CHANGE_CONVERSATIONS,
        lambda s, x: start_conversation_with(s, x.patient),
    ),
    "get_message": (Permission.READ_CONVERSATIONS, lambda s, x: get_message(s, x.message)),
    "get_patient": (Permission.READ_PATIENTS, lambda s, x: get_patient(s, x.patient)),
    "list_patients": (Permission.READ_PATIENTS, lambda s, _: list_patients(s)),
    "find_patients": (Permission.READ_PATIENTS, lambda s, _: find_patients(s, phone=PHONE)),
    "create_patient": (
        Permission.CHANGE_PATIENTS,
        lambda s, _: create_patient(s, EnteredPatient("Nova")),
    ),
    "rename_patient": (
        Permission.CHANGE_PATIENTS,
        lambda s, x: rename_patient(s, x.patient, "Paula"),
    ),
    "add_identity": (
        Permission.CHANGE_PATIENTS,
        lambda s, x: add_identity(s, x.patient, "external", "P-1"),
    ),
    "remove_identity": (Permission.CHANGE_PATIENTS, lambda s, x: _remove_identity(s, x)),
    "merge_patients": (Permission.CHANGE_PATIENTS, lambda s, x: _merge(s, x)),
    "list_staff": (Permission.READ_STAFF, lambda s, _: list_staff(s)),
    "send": (
        Permission.SEND_MESSAGES,
        lambda s, x: send_message(s, x.conversation, "oi", str(uuid4())),
    ),
    "save_draft": (Permission.SEND_MESSAGES, lambda s, x: save_draft(s, x.conversation, "oi")),
    "recent_drafts": (Permission.SEND_MESSAGES, lambda s, _: recent_drafts(s)),
    "receive_message": (Permission.DELIVER_MESSAGES, lambda s, _: _receive(s, str(uuid4()))),
    "report_status": (
        Permission.REPORT_DELIVERY,
        lambda s, x: report_status(s, x.message, "delivered"),
    ),
    "import_dialogues": (
        Permission.IMPORT_CONVERSATIONS,
        lambda s, x: import_dialogues(s, x.file),
    ),
    "count_over_term": (Permission.MANAGE_CLINIC, lambda s, _: count_over_term(s)),
    "delete_over_term": (Permission.DELETE_EXPIRED, lambda s, _: delete_over_term(s)),
    "delete_events": (
        Permission.DELETE_EXPIRED,
        lambda s, _: delete_events(s, datetime.now(UTC)),
    ),
    "daily_messages": (Permission.READ_REPORTS, lambda s, _: daily_messages(s)),
    "save_preferences": (
        Permission.CHANGE_OWN_PREFERENCES,
        lambda s, _: save_preferences(s, sound=True),
    ),
    "list_members": (Permission.MANAGE_STAFF, lambda s, _: list_members(s)),
    "change_role": (Permission.MANAGE_STAFF, lambda s, x: change_role(s, x.colleague, "auditor")),
    "deactivate_member": (Permission.MANAGE_STAFF, lambda s, x: deactivate_member(s, x.colleague)),
    "activate_member": (Permission.MANAGE_STAFF, lambda s, x: activate_member(s, x.colleague)),
    "end_sessions_of": (Permission.MANAGE_STAFF, lambda s, x: end_sessions_of(s, x.colleague)),
    "invite": (Permission.MANAGE_STAFF, lambda s, _: invite(s, "eva@x.example", "admin")),
    "reset_password_link": (
        Permission.MANAGE_STAFF,
        lambda s, x: reset_password_link(s, x.colleague),
    ),
    "list_invitations": (Permission.MANAGE_STAFF, lambda s, _: list_invitations(s)),
    "revoke_invitation": (Permission.MANAGE_STAFF, lambda s, _: _revoke_invitation(s)),
    "read_clinic_settings": (Permission.MANAGE_CLINIC, lambda s, _: read_clinic_settings(s)),
    "change_clinic_settings": (
        Permission.MANAGE_CLINIC,
        lambda s, _: change_clinic_settings(s, name="Nova"),
    ),
    "read_provider": (Permission.MANAGE_CLINIC, lambda s, _: read_provider(s, SEAL)),
    "save_provider": (
        Permission.MANAGE_CLINIC,
        lambda s, _: save_provider(s, SEAL, WantedProvider(ISSUER, "clinic", "a secret", True)),
    ),
    "remove_provider": (Permission.MANAGE_CLINIC, lambda s, _: _remove_provider(s)),
    "create_webhook": (
        Permission.MANAGE_WEBHOOKS,
        lambda s, _: create_webhook(s, SEAL, Outbound(), RECEIVER, ["message:new"]),
    ),
    "list_webhooks": (Permission.MANAGE_WEBHOOKS, lambda s, _: list_webhooks(s)),
    "read_webhook": (Permission.MANAGE_WEBHOOKS, lambda s, _: _of_no_webhook(read_webhook(s, ID))),
    "change_webhook": (
        Permission.MANAGE_WEBHOOKS,
        lambda s, _: _of_no_webhook(change_webhook(s, Outbound(), ID, enabled=True)),
    ),
    "rotate_secret": (
        Permission.MANAGE_WEBHOOKS,
        lambda s, _: _of_no_webhook(rotate_secret(s, SEAL, ID)),
    ),
    "delete_webhook": (
        Permission.MANAGE_WEBHOOKS,
        lambda s, _: _of_no_webhook(delete_webhook(s, ID)),
    ),
    "disable_webhook": (
        Permission.MANAGE_WEBHOOKS,
        lambda s, _: _of_no_webhook(disable_webhook(s, ID, WebhookState.GONE)),
    ),
    "list_deliveries": (
        Permission.MANAGE_WEBHOOKS,
        lambda s, _: _of_no_webhook(list_deliveries(s, ID)),
    ),
    "replay_delivery": (
        Permission.MANAGE_WEBHOOKS,
        lambda s, _: _of_no_webhook(replay_delivery(s, ID, ID)),
    ),
    "replay_parked": (
        Permission.MANAGE_WEBHOOKS,
        lambda s, _: _of_no_webhook(replay_parked(s, ID)),
    ),
    "send_test_event": (
        Permission.MANAGE_WEBHOOKS,
        lambda s, _: _of_no_webhook(send_test_event(s, SEAL, Outbound(), ID)),
    ),
    "due_deliveries": (Permission.MANAGE_WEBHOOKS, lambda s, _: due_deliveries(s, ID, 1)),
    "claim_deliveries": (Permission.MANAGE_WEBHOOKS, lambda s, _: claim_deliveries(s, "", ID, {})),
    "finish_delivery": (
        Permission.MANAGE_WEBHOOKS,
        lambda s, _: finish_delivery(
            s, "", WebhookDelivery(id=ID, webhook_id=ID), Outcome(None, "status")
        ),
    ),
    "delete_deliveries": (Permission.DELETE_EXPIRED, lambda s, _: delete_deliveries(s)),
    "check_provider": (
        Permission.MANAGE_CLINIC,
        lambda s, _: check_provider(s, Outbound(), ISSUER),
    ),
    "list_linked_people": (Permission.MANAGE_CLINIC, lambda s, _: list_linked_people(s)),
    "unlink_person": (Permission.MANAGE_CLINIC, lambda s, x: _unlink_person(s, x)),
    "create_clinic_token": (
        Permission.MANAGE_TOKENS,
        lambda s, _: create_clinic_token(s, "Agenda", ["messages.deliver"]),
    ),
    "list_clinic_tokens": (Permission.MANAGE_TOKENS, lambda s, _: list_clinic_tokens(s)),
    "revoke_clinic_token": (Permission.MANAGE_TOKENS, lambda s, _: _revoke_token(s)),
    "read_audit_trail": (Permission.READ_AUDIT_TRAIL, lambda s, _: read_audit_trail(s)),
    "change_name": (Permission.MANAGE_OWN_ACCOUNT, lambda s, _: change_name(s, "Ana S.")),
    "change_password": (
        Permission.MANAGE_OWN_ACCOUNT,
        lambda s, _: change_password(s, uuid4(), PASSWORD, PASSWORD),
    ),
    "list_browsers": (Permission.MANAGE_OWN_SESSIONS, lambda s, _: list_browsers(s, uuid4())),
    "end_browser": (Permission.MANAGE_OWN_SESSIONS, lambda s, _: _end_browser(s)),
    "end_other_browsers": (
        Permission.MANAGE_OWN_SESSIONS,
        lambda s, _: end_other_browsers(s, uuid4()),
    ),
    "read_own_factor": (Permission.MANAGE_OWN_ACCOUNT, lambda s, _: read_own_factor(s)),
    "begin_factor": (Permission.MANAGE_OWN_ACCOUNT, lambda s, _: begin_factor(s, SEAL)),
    "confirm_factor": (Permission.MANAGE_OWN_ACCOUNT, lambda s, _: _confirm_factor(s)),
    "remove_own_factor": (Permission.MANAGE_OWN_ACCOUNT, lambda s, _: _remove_own_factor(s)),
    "check_own_password": (
        Permission.MANAGE_OWN_ACCOUNT,
        lambda s, _: check_own_password(s, PASSWORD),
    ),
    "list_passkeys": (Permission.MANAGE_OWN_ACCOUNT, lambda s, _: list_passkeys(s)),
    "begin_passkey": (
        Permission.MANAGE_OWN_ACCOUNT,
        lambda s, _: begin_passkey(s, PASSWORD, SITE, b"challenge"),
    ),
    "add_passkey": (Permission.MANAGE_OWN_ACCOUNT, lambda s, _: _add_passkey(s)),
    "rename_passkey": (Permission.MANAGE_OWN_ACCOUNT, lambda s, _: _rename_passkey(s)),
    "remove_passkey": (Permission.MANAGE_OWN_ACCOUNT, lambda s, _: _remove_passkey(s)),
    "remove_factor_of": (Permission.MANAGE_STAFF, lambda s, x: _remove_factor_of(s, x)),
}


async def _of_no_webhook(act: Awaitable[object]) -> None:
    with suppress(NotFound):
        await act


async def _remove_identity(scope: ClinicScope, stored: Stored) -> None:
    with suppress(NotFound):
        await remove_identity(scope, stored.patient, str(uuid4()))


async def _merge(scope: ClinicScope, stored: Stored) -> None:
    with suppress(InvalidInput):
        await merge_patients(scope, stored.patient, stored.patient)


async def _revoke_invitation(scope: ClinicScope) -> None:
    with suppress(NotFound):
        await revoke_invitation(scope, str(uuid4()))


async def _revoke_token(scope: ClinicScope) -> None:
    with suppress(NotFound):
        await revoke_clinic_token(scope, str(uuid4()))


async def _remove_provider(scope: ClinicScope) -> None:
    with suppress(NotFound):
        await remove_provider(scope)


async def _unlink_person(scope: ClinicScope, stored: Stored) -> None:
    with suppress(NotFound):
        await unlink_person(scope, stored.colleague)


async def _end_browser(scope: ClinicScope) -> None:
    with suppress(NotFound):
        await end_browser(scope, str(uuid4()))


async def _confirm_factor(scope: ClinicScope) -> None:
    with suppress(NotFound):
        await confirm_factor(scope, SEAL, "000000")


async def _add_passkey(scope: ClinicScope) -> None:
    with suppress(PasskeyRefused):
        await add_passkey(scope, SITE, b"challenge", Creation("", "", ""), "Celular")


async def _rename_passkey(scope: ClinicScope) -> None:
    with suppress(NotFound):
        await rename_passkey(scope, str(uuid4()), "Celular")


async def _remove_passkey(scope: ClinicScope) -> None:
    with suppress(NotFound):
        await remove_passkey(scope, str(uuid4()), PASSWORD)


async def _remove_own_factor(scope: ClinicScope) -> None:
    with suppress(NotFound):
        await remove_own_factor(scope, SEAL, "000000")


async def _remove_factor_of(scope: ClinicScope, stored: Stored) -> None:
    with suppress(NotFound):
        await remove_factor_of(scope, stored.colleague)


async def _public_events(scope: ClinicScope) -> None:
    await public_events(scope, await events_after(scope, 0))


async def _changes(scope: ClinicScope) -> object:
    return await changes_of(scope, await events_after(scope, 0))


async def _receive(scope: ClinicScope, key: str) -> Any:
    return await receive_message(scope, name="Paula", phone=PHONE, body="olá", external_id=key)


@pytest.fixture
async def there(clinics: Clinics, tmp_path: Path) -> Stored:
    received = await _receive(clinics.aurora, "1")
    conversation = received.message.conversation_id
    sent = await send_message(clinics.ana, conversation, "oi", "1")
    file = tmp_path / "dialogues.csv"
    file.write_text('ID,section_header,section_text,dialogue\n1,X,Y,"Doctor: Hi"\n')
    patient = (await get_conversation(clinics.aurora, conversation)).patient_id
    return Stored(conversation, sent.message.id, file, str(clinics.bruno.staff_id()), patient)


def actors(clinics: Clinics) -> list[Actor]:
    ana = clinics.ana.staff_id()
    staff = [StaffActor(ana, role, by_provider=by) for role in Role for by in (False, True)]
    granted = frozenset({Permission.SEND_MESSAGES, Permission.MANAGE_CLINIC})
    by_token = [StaffActor(ana, role, token_permissions=granted) for role in Role]
    token = TokenActor(uuid4(), permissions.OF_OTHERS[TokenActor])
    return [*staff, *by_token, PatientActor(uuid4()), token, SYSTEM]


def test_every_use_case_is_here() -> None:
    found = set()
    for module in pkgutil.walk_packages(domain.__path__, "clinic_chat.domain."):
        for name, function in inspect.getmembers(
            importlib.import_module(module.name), inspect.iscoroutinefunction
        ):
            first = next(iter(inspect.signature(function).parameters.values()), None)
            if first is not None and first.annotation is ClinicScope and not name.startswith("_"):
                found.add(name)
    assert found - OF_NO_PERMISSION == set(USE_CASES) - {"send"}


def test_every_role_and_kind_of_actor_is_in_the_table() -> None:
    assert set(OF_ROLES) == set(Role)
    assert set(OF_OTHERS) == {PatientActor, TokenActor, SystemActor}
    assert {permission for permission, _ in USE_CASES.values()} == set(Permission)


def is_for(actor: Actor, name: str) -> bool:
    """Whether an actor of this kind has what a use case is about."""
    if isinstance(actor, TokenActor) and name == "send":
        return True
    return isinstance(actor, StaffActor) or name not in OF_ONE_PERSON


@pytest.mark.parametrize("name", USE_CASES)
async def test_a_use_case_is_for_those_who_may(clinics: Clinics, there: Stored, name: str) -> None:
    permission, use_case = USE_CASES[name]
    allowed = 0
    for actor in actors(clinics):
        scope = replace(clinics.aurora, actor=actor)
        if allows(actor, permission) and not is_for(actor, name):
            with pytest.raises(Forbidden, match="staff member"):
                await use_case(scope, there)
        elif allows(actor, permission):
            allowed += 1
            await use_case(scope, there)
        else:
            with pytest.raises(Forbidden, match=str(permission)):
                await use_case(scope, there)
    assert allowed


@pytest.fixture
async def api(any_database_url: str) -> AsyncIterator[ClinicApi]:
    async with clinic_api(any_database_url) as api:
        yield api


@pytest.fixture
async def live(clinics: Clinics) -> AsyncIterator[RealtimeServer]:
    services = Services(Settings(database_url=clinics.database.url, secret_key=TEST_KEY))
    yield RealtimeServer(services)
    await services.close()


COMMANDS: dict[str, dict[str, object]] = {
    "message:send": {"body": "oi", "clientId": "2"},
    "message:body": {"seq": 1},
    "message:read": {"seq": 1},
    "conversation:unread": {},
    "conversation:status": {"status": "open"},
    "conversation:assign": {"assigneeId": "", "expected": ""},
    "draft:save": {"body": "oi"},
    "account:preferences": {"sound": True},
    "counts:get": {},
    "markers:get": {"ids": []},
}


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_command_is_refused_to_who_may_not(
    live: RealtimeServer,
    there: Stored,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await opened(live)
    act = live.commands.by_name()[name]
    data = {"conversationId": there.conversation, **COMMANDS[name]}
    assert (await act(SID, data)).get("ok")

    for role in Role:
        monkeypatch.setitem(permissions.OF_ROLES, role, frozenset())

    assert (await act(SID, data))["error"]["code"] == "forbidden"


async def test_a_token_is_refused_what_it_may_not(
    api: ClinicApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(permissions.OF_OTHERS, TokenActor, frozenset())
    message = {"patient": {"phone": PHONE}, "externalId": "1", "body": "Oi"}
    refused = await api.client.post("/api/v1/inbound", json=message, headers=api.bearer)

    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "forbidden"


@pytest.mark.parametrize("opened_before", [False, True])
async def test_a_tab_enters_no_room_of_what_its_person_may_not_read(
    live: RealtimeServer,
    there: Stored,
    monkeypatch: pytest.MonkeyPatch,
    opened_before: bool,
) -> None:
    entered: list[str] = []

    async def enter_room(_sid: str, room: str, _namespace: str) -> None:
        entered.append(room)

    monkeypatch.setattr(live.sio, "enter_room", enter_room)
    connection = await opened(live)
    if opened_before:
        # What others opened is at hand.
        feed = live.subscriptions._feeds["messages"]
        await feed.start(connection.scope, there.conversation, {}, None)
    for role in Role:
        monkeypatch.setitem(permissions.OF_ROLES, role, frozenset())

    for wanted in (workspace_feeds(), workspace_feeds(there.conversation)[1:]):
        with pytest.raises(Forbidden):
            await live.subscriptions.follow(connection, wanted)
    assert (connection.feeds, entered) == ({}, [])


async def test_another_role_is_in_force_with_the_next_look_at_the_session(
    live: RealtimeServer, clinics: Clinics
) -> None:
    connection = await opened(live)
    assert connection.scope.actor == StaffActor(clinics.ana.staff_id(), Role.ADMIN)

    changed = replace(connection.identity, role=Role.RECEPTIONIST)
    assert connection.renew(changed, checked_at=0)

    assert connection.scope.actor == StaffActor(clinics.ana.staff_id(), Role.RECEPTIONIST)
