"""A request of a webhook: signed by the specification, and to public addresses only."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from standardwebhooks import WebhookVerificationError

from clinic_chat.domain.webhooks.deliveries import list_deliveries, send_test_event
from clinic_chat.domain.webhooks.request import Outcome, send_event
from clinic_chat.domain.webhooks.settings import rotate_secret
from clinic_chat.domain.webhooks.signing import new_secret, signed_headers
from clinic_chat.domain.webhooks.webhook import ROTATION, Webhook, webhook_seal
from clinic_chat.outbound import client
from clinic_chat.outbound.client import IGNORED_BYTES, SENT_BYTES, Outbound
from clinic_chat.outbound.errors import Failure, OutboundError
from tests.conftest import Clinics
from tests.integration.webhooks.receiver import (
    CA_FILE,
    SEAL,
    Receiver,
    Sending,
    allowing,
    subscribed,
    verified,
    write,
)
from tests.support.provider.certificates import ADDRESS, certificates
from tests.support.provider.https_server import Answer, HttpsServer

OWNER = uuid4()
MESSAGE = {"id": "msg_1", "body": '{"type":"webhook:test","data":{}}'}


def webhook(url: str, secret: str = "") -> Webhook:
    return Webhook(id=uuid4(), url=url, sealed_secret=SEAL.close(secret or new_secret()))


async def outcome(url: str, outbound: Outbound | None = None) -> Outcome:
    return await send_event(outbound or allowing(), SEAL, OWNER, webhook(url), MESSAGE)


def test_the_published_example_of_the_specification() -> None:
    moment = datetime.fromtimestamp(1614265330, UTC)
    headers = signed_headers(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        '{"test": 2432232314}',
        moment,
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.usefixtures("any_database")
async def test_for_a_day_the_secret_before_counts_too(clinics: Clinics) -> None:
    with Receiver() as receiver:
        key, old = await subscribed(clinics.ana, receiver.url)
        new = await rotate_secret(clinics.ana, SEAL, key)
        await send_test_event(clinics.ana, SEAL, allowing(), key)
        with time_machine.travel(datetime.now(UTC) + ROTATION, tick=True):
            await send_test_event(clinics.ana, SEAL, allowing(), key)
            of_both, of_new = receiver.taken
            assert verified(new, of_new)["type"] == "webhook:test"
            with pytest.raises(WebhookVerificationError):
                verified(old, of_new)
        assert verified(old, of_both) == verified(new, of_both)

    assert old != new


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "127.1", "[::1]", "[::ffff:127.0.0.1]", "localhost."],
)
async def test_no_way_of_writing_this_machine_leads_there(host: str) -> None:
    outbound = Outbound([], CA_FILE)
    with HttpsServer(lambda _: Answer()) as server:
        found = await outcome(f"https://{host}:{server.port}/", outbound)

    assert found.status is None
    assert found.error in {Failure.ADDRESS_PRIVATE, Failure.ADDRESS_INVALID, Failure.UNREACHABLE}
    assert server.asked == []


@pytest.mark.parametrize("address", ["10.1.2.3", "169.254.169.254", "192.168.1.1", ADDRESS])
async def test_a_name_that_leads_to_a_private_address_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    def look_up(_host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    with HttpsServer(lambda _: Answer()) as server:
        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        found = await outcome(f"https://provider.test:{server.port}/", Outbound([], CA_FILE))

    assert found == Outcome(None, Failure.ADDRESS_PRIVATE)
    assert server.asked == []


async def test_plain_http_is_for_hosts_that_the_operator_allows() -> None:
    arrived: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, ADDRESS, 0)
    port = server.sockets[0].getsockname()[1]
    assert await outcome(f"http://{ADDRESS}:{port}/a?b") == Outcome(204)
    assert await outcome(f"http://{ADDRESS}:{port}/", Outbound()) == Outcome(None, "not_https")
    server.close()

    assert len(arrived) == 1
    assert arrived[0].startswith(b"POST /a?b HTTP/1.1\r\n")


@pytest.mark.parametrize("part", ["head", "body"])
async def test_who_does_not_answer_in_time_is_given_up(
    monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setattr(client, "RECEIVER_SECONDS", 0.5)

    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if part == "body":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(stall, ADDRESS, 0, ssl=certificates().server_context())
    port = server.sockets[0].getsockname()[1]
    begun = monotonic()
    assert await outcome(f"https://{ADDRESS}:{port}/") == Outcome(None, Failure.TOO_SLOW)
    assert monotonic() - begun < 3
    server.close()


async def test_of_a_long_answer_little_is_read() -> None:
    sent = 0

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        try:
            while True:
                writer.write(b"x" * 65_536)
                await writer.drain()
                sent += 65_536
        except OSError:
            writer.close()

    server = await asyncio.start_server(pour, ADDRESS, 0, ssl=certificates().server_context())
    port = server.sockets[0].getsockname()[1]
    assert await outcome(f"https://{ADDRESS}:{port}/") == Outcome(200)
    server.close()

    assert sent < 64 * IGNORED_BYTES + 8 * 1024 * 1024


async def test_a_body_that_is_too_long_is_not_sent() -> None:
    with HttpsServer(lambda _: Answer()) as server:
        with pytest.raises(OutboundError) as refusal:
            await allowing().post_event(OWNER, server.origin, b"x" * (SENT_BYTES + 1), {})
        assert await allowing().post_event(OWNER, server.origin, b"x" * SENT_BYTES, {}) == 200

    assert refusal.value.failure == Failure.TOO_LARGE


async def test_a_secret_that_another_key_sealed_sends_nothing() -> None:
    with Receiver() as receiver:
        found = await send_event(
            allowing(), webhook_seal(b"another key"), OWNER, webhook(receiver.url), MESSAGE
        )

    assert found == Outcome(None, "secret_unreadable")
    assert receiver.server.asked == []


@pytest.mark.usefixtures("any_database")
async def test_a_clinic_sees_why_its_private_receiver_gets_nothing(clinics: Clinics) -> None:
    """What was allowed when it was made, the operator may have taken back."""
    sending = Sending(clinics.database)
    sending.worker._outbound = Outbound([], CA_FILE)
    with Receiver() as receiver:
        key, _ = await subscribed(clinics.ana, receiver.url, ("message:new",))
        await write(clinics.aurora, 1, 1)
        await sending.send_all()
    (delivery,) = (await list_deliveries(clinics.ana, key)).deliveries
    await sending.worker.stop()

    assert (delivery.status, delivery.last_error) == ("pending", "address_private")
    assert datetime.fromisoformat(delivery.next_attempt_at) > datetime.now(UTC) - timedelta(hours=1)
    assert receiver.server.asked == []
