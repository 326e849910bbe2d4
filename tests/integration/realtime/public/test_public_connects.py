"""Who may connect to a clinic's namespace, by both transports, and who is refused with what."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from clinic_chat.domain.accounts.api_tokens import revoke_token
from clinic_chat.domain.administration.members import deactivate_member
from clinic_chat.realtime.transport import unidentified
from clinic_chat.storage.base import now
from tests.integration.realtime.public.programs import (
    PublicDoor,
    door,
    limits,
    place,
)
from tests.integration.realtime.sockets import TEXT
from tests.support.program import SECONDS, ProgramRefused
from tests.support.servers.own_server import eventually

pytestmark = pytest.mark.usefixtures("any_database")

__all__ = ["door", "limits", "place"]
TRANSPORTS = ("websocket", "polling")


def days_later(days: int) -> Callable[[], datetime]:
    """A clock that is so many days ahead."""
    return lambda: now() + timedelta(days=days)


async def refusal(door: PublicDoor, **how: Any) -> dict[str, Any]:
    """What a program gets that is not let in."""
    with pytest.raises(ProgramRefused) as refused:
        await door.connect(**how)
    found = refused.value.data
    assert set(found) == {"message", "data"}
    assert found["message"] == found["data"]["message"]
    data: dict[str, Any] = found["data"]
    return data


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_token_opens_its_clinics_namespace(door: PublicDoor, transport: str) -> None:
    program = await door.connect(transport=transport)

    answer = await program.ask("conversation:join", {"conversationId": door.conversation})

    assert answer["ok"] is True
    assert [message["body"] for message in answer["messages"]] == ["Olá"]
    assert door.place.live.public.clients.count() == 1
    await program.client.disconnect()
    await eventually(lambda: door.place.live.public.clients.count() == 0)
    await eventually(lambda: not any(door.place.kept().values()))


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("none", "unauthorized"),
        ("not text", "unauthorized"),
        ("wrong", "unauthorized"),
        ("revoked", "unauthorized"),
        ("expired", "unauthorized"),
        ("of another clinic", "wrong_clinic"),
        ("of no clinic", "wrong_clinic"),
        ("of a former member", "unauthorized"),
    ],
)
async def test_every_other_token_is_refused_with_a_code(
    door: PublicDoor, transport: str, case: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    how: dict[str, Any] = {"transport": transport}
    if case == "none":
        how["auth"] = {}
    elif case == "not text":
        how["auth"] = {"token": {"a": 1}}
    elif case == "wrong":
        how["token"] = "cc_" + "x" * 43
    elif case == "revoked":
        how["token"] = await door.token()
        await revoke_token(door.clinics.database, how["token"])
    elif case == "expired":
        how["token"] = await door.token(days=1)
        monkeypatch.setattr("clinic_chat.domain.accounts.api_tokens.now", days_later(2))
    elif case == "of another clinic":
        how["token"] = await door.token("boreal")
    elif case == "of no clinic":
        how |= {"token": await door.token(), "clinic": "nenhuma"}
    else:
        how["token"] = await door.token(email="bruno@aurora.example")
        await deactivate_member(door.clinics.ana, str(door.clinics.bruno.user_id))

    found = await refusal(door, **how)

    assert found["code"] == code
    assert door.place.live.public.clients.count() == 0
    await eventually(lambda: not any(door.place.kept().values()))


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_revoked_token_ends_its_connections(door: PublicDoor, transport: str) -> None:
    token = await door.token()
    program = await door.connect(token, transport=transport)

    await revoke_token(door.clinics.database, token)

    async with asyncio.timeout(SECONDS):
        await program.left.wait()
    assert door.place.live.public.clients.count() == 0


async def test_a_members_token_ends_with_the_membership(door: PublicDoor) -> None:
    program = await door.connect(await door.token(email="bruno@aurora.example"))

    await deactivate_member(door.clinics.ana, str(door.clinics.bruno.user_id))

    async with asyncio.timeout(SECONDS):
        await program.left.wait()


async def test_two_clinics_share_a_connection_and_nothing_else(door: PublicDoor) -> None:
    both = await door.connect()
    other = "/clinic/boreal"
    events: list[Any] = []

    async def hear(_event: str, data: Any) -> None:
        events.append(data)

    both.client.on("*", hear, namespace=other)

    await both.client._send_packet(
        both.client.packet_class(0, {"token": await door.token("boreal")}, namespace=other)
    )
    await eventually(lambda: door.place.live.public.clients.count() == 2)
    await door.patient_writes("Bom dia")
    await both.gets("conversation:updated")

    assert events == []


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_who_shows_nothing_is_kept_for_seconds(
    door: PublicDoor, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unidentified, "WAIT_SECONDS", 0.2)
    if transport == "websocket":
        async with door.place.socket() as raw:
            assert (await raw.text()).startswith("44/_event,")
    else:
        async with door.place.polls() as poller:
            assert (await poller.get()).text.startswith("44/_event,")
            assert (await poller.get()).status_code == 400
    assert not any(door.place.kept().values())


async def test_handshakes_that_lead_nowhere_are_bounded(
    door: PublicDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unidentified, "MAX_WAITING", 3)
    for _ in range(10):
        async with door.place.polls():
            pass

    assert len(door.place.live.sio.eio._unidentified._waiting) == 3


async def test_a_first_body_that_is_too_long_is_refused(door: PublicDoor) -> None:
    async with door.place.polls() as poller:
        posted = await poller.post("40/clinic/aurora," + '{"token":"' + "x" * 20_000 + '"}')

        assert posted.status_code == 400
        assert (await poller.get()).status_code == 400
    assert not any(door.place.kept().values())


@pytest.mark.parametrize(
    "body", ["", "3", "40x\x1e", "42/clinic/aurora,[1]", "\x1e40/clinic/aurora"]
)
async def test_a_first_body_that_connects_to_nothing_ends_the_session(
    door: PublicDoor, body: str
) -> None:
    async with door.place.polls() as poller:
        posted = await poller.post(body)

        connects = body.startswith("40")
        assert posted.status_code == (200 if connects else 400)
        assert (await poller.get()).status_code == (200 if connects else 400)
    assert not any(door.place.kept().values())


async def test_a_second_poll_at_the_same_time_ends_the_session(door: PublicDoor) -> None:
    async with door.place.polls() as poller:
        first = asyncio.create_task(poller.get())
        await eventually(
            lambda: any(w.polled for w in door.place.live.sio.eio._unidentified._waiting.values())
        )

        assert (await poller.get()).status_code == 400
        assert (await first).text == "1"
        assert (await poller.get()).status_code == 400


@pytest.mark.parametrize(
    "packet",
    [
        "40",
        "40/clinic/,{}",
        "40/clinic/Aurora,{}",
        "40/clinic/aurora/x,{}",
        "40/clinic/aurora,[",
        "40/clinic/aurora," + "[" * 9000,
        "42/clinic/aurora,[]",
        "2",
        "",
    ],
)
async def test_what_is_no_connect_with_a_token_is_refused(door: PublicDoor, packet: str) -> None:
    async with door.place.socket() as raw:
        await raw.frame(TEXT, packet.encode())

        assert (await raw.text()).startswith("44/")
    assert not any(door.place.kept().values())


async def test_events_named_like_connects_and_disconnects_are_not_handled(
    door: PublicDoor,
) -> None:
    program = await door.connect()

    for name in ("connect", "disconnect"):
        await program.client.emit(name, {"clinic_chat.visitor": 1}, namespace=program.namespace)
    answer = await program.ask("conversation:join", {"conversationId": door.conversation})

    assert answer["ok"] is True
    assert door.place.live.public.clients.count() == 1


async def test_a_program_is_nobody_in_the_pages_namespace(door: PublicDoor) -> None:
    """Neither with its token, nor when that ends between its two checks."""
    token = await door.token()
    connect = f'40/clinic/aurora,{{"token":"{token}"}}'
    async with door.place.polls() as poller:
        assert (await poller.post(f"{connect}\x1e40/_event,")).status_code == 200
        answers = (await poller.get()).text
        while "44/_event" not in answers:
            answers += (await poller.get()).text

        assert "unauthorized" in answers
        assert door.place.live.connections.count() == 0
    async with door.place.socket() as raw:
        await raw.frame(TEXT, f"{connect}".encode())
        await raw.text()
        await revoke_token(door.clinics.database, token)
        await raw.frame(TEXT, b"40/_event,")
        while not (await raw.text()).startswith("44/_event"):
            pass
    assert door.place.live.connections.count() == 0


async def test_two_first_posts_admit_one(door: PublicDoor) -> None:
    token = await door.token()
    body = f'40/clinic/aurora,{{"token":"{token}"}}'
    async with door.place.polls() as poller:
        answers = await asyncio.gather(poller.post(body), poller.post(body))

        assert sorted(answer.status_code for answer in answers) in ([200, 400], [200, 200])
        assert door.place.live.handshakes.count() == 1
        assert (await poller.get()).status_code == 200
        await poller.post("1")
    await eventually(lambda: not any(door.place.kept().values()))


async def test_leaving_one_clinic_keeps_the_other(
    door: PublicDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = await door.connect()
    sio = door.place.live.sio
    packet = both.client.packet_class(0, {"token": await door.token("boreal")}, "/clinic/boreal")
    await both.client._send_packet(packet)
    await eventually(lambda: door.place.live.public.clients.count() == 2)

    await both.client._send_packet(both.client.packet_class(1, namespace="/clinic/boreal"))
    await eventually(lambda: door.place.live.public.clients.count() == 1)

    assert not sio._outside
    await both.client._send_packet(both.client.packet_class(1, namespace="/clinic/aurora"))
    await eventually(lambda: len(sio._outside) == 1)


@pytest.mark.parametrize("further", [False, True])
async def test_a_token_has_so_many_sockets_and_no_more(
    door: PublicDoor, further: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a namespace is a further one of a connection."""
    token = await door.token("boreal")
    await door.connect(token, "boreal")
    if further:
        door.place.services.settings.sockets_per_account = 1
        both = await door.connect()
        packet = both.client.packet_class(0, {"token": token}, "/clinic/boreal")
        await both.client._send_packet(packet)
        await both.ask("events:since", {"seq": 0})
        assert door.place.live.public.clients.count() == 2
    else:
        monkeypatch.setattr(door.place.live.handshakes, "_per_account", 1)
        found = await refusal(door, token=token, clinic="boreal")
        assert found["code"] == "account_connections"


async def test_a_polling_id_is_worth_nothing_from_elsewhere(
    door: PublicDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with door.place.polls() as poller:
        token = await door.token()
        await poller.post(f'40/clinic/aurora,{{"token":"{token}"}}')
        (visitor,) = door.place.live.handshakes._visitors
        visitor.address = "192.0.2.1"

        assert (await poller.get()).status_code == 400
        visitor.address = "127.0.0.1"
        assert (await poller.get()).status_code == 200
        await poller.post("1")


async def test_pages_of_other_origins_get_nothing(door: PublicDoor) -> None:
    async with door.place.polls() as poller:
        refused = await poller.get(Origin="https://elsewhere.example")

        assert refused.status_code == 400
        assert "access-control-allow-origin" not in refused.headers


async def test_a_page_of_an_allowed_origin_may_read_its_answers(door: PublicDoor) -> None:
    door.place.services.settings.allowed_origins.append("https://kiosk.example")
    async with door.place.polls() as poller:
        waiting = asyncio.create_task(poller.get(Origin="https://kiosk.example"))
        await poller.post("40/_event,")
        answer = await waiting

        assert answer.text.startswith("44/_event,")
        assert answer.headers["access-control-allow-origin"] == "https://kiosk.example"
        assert answer.headers["access-control-allow-credentials"] == "true"
