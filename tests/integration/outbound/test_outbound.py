"""Outbound requests: real sockets, and nothing that leads into the server's own network."""

import asyncio
import gzip
import json
import socket
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest

from clinic_chat.outbound import client
from clinic_chat.outbound.addresses import REQUESTS_PER_OWNER, checked_url, is_public
from clinic_chat.outbound.client import ANSWER_BYTES, Outbound
from clinic_chat.outbound.errors import Failure, OutboundError
from tests.support.provider.certificates import ADDRESS, certificates
from tests.support.provider.https_server import Answer, Asked, HttpsServer
from tests.support.servers.own_server import eventually

OWNER = uuid4()
FINE = b'{"fine": true}'
GZIP = {"Content-Encoding": "gzip"}
PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def answers(body: bytes = FINE, **more: Any) -> Callable[[Asked], Answer]:
    return lambda _: Answer(body, **more)


@pytest.fixture
def outbound() -> Iterator[Outbound]:
    """Believes the tests' authority, and may ask this machine by its address."""
    found = Outbound([ADDRESS], certificates().ca_file)
    yield found
    found.close()


async def failure(outbound: Outbound, address: str) -> Failure:
    with pytest.raises(OutboundError) as refusal:
        await outbound.get_json(OWNER, address)
    return refusal.value.failure


def leads_to(*hosts: str) -> Callable[..., list[Any]]:
    """A name service that gives these addresses, one list after the other."""
    given = iter(hosts)

    def look_up(_host: str, port: int, **_: Any) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in next(given).split()
        ]

    return look_up


async def test_json_is_asked_for_and_a_form_is_posted(outbound: Outbound) -> None:
    with HttpsServer(answers()) as server:
        assert await outbound.get_json(OWNER, f"{server.origin}/a?b=c") == {"fine": True}
        told = await outbound.post_form(OWNER, server.origin, {"a": "b c"}, {"Authorization": "x"})

    assert told == {"fine": True}
    first, second = server.asked
    assert (first.method, first.path) == ("GET", "/a?b=c")
    assert first.headers["Host"] == f"{ADDRESS}:{server.port}"
    assert "python" not in first.headers["User-Agent"].lower()
    assert (second.method, second.body) == ("POST", b"a=b+c")
    assert second.headers["Authorization"] == "x"


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://example.com", Failure.NOT_HTTPS),
        ("ftp://example.com", Failure.NOT_HTTPS),
        ("file:///etc/passwd", Failure.NOT_HTTPS),
        ("//example.com", Failure.NOT_HTTPS),
        ("", Failure.ADDRESS_INVALID),
        ("https://", Failure.ADDRESS_INVALID),
        ("https:///path", Failure.ADDRESS_INVALID),
        ("https://user@example.com", Failure.ADDRESS_INVALID),
        ("https://user:word@example.com", Failure.ADDRESS_INVALID),
        ("https://example.com#@127.0.0.1", Failure.ADDRESS_INVALID),
        ("https://example.com\\@127.0.0.1", Failure.ADDRESS_INVALID),
        ("https://example.com/\r\nHost: x", Failure.ADDRESS_INVALID),
        ("https://exämple.com", Failure.ADDRESS_INVALID),
        ("https://example.com:99999", Failure.ADDRESS_INVALID),
        (f"https://example.com/{'x' * 500}", Failure.ADDRESS_INVALID),
    ],
)
async def test_an_address_that_is_none_is_not_asked(
    outbound: Outbound, address: str, why: Failure
) -> None:
    assert await failure(outbound, address) == why


def test_an_address_may_have_a_port_and_a_query() -> None:
    assert checked_url("https://login.example.com:8443/realms/a?b=c").port == 8443


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.9.1", "0.0.0.1", "0.1.2.3", "10.1.2.3", "172.16.0.1", "192.168.1.1"),
        *("169.254.169.254", "100.64.0.1", "192.0.0.8", "198.18.0.1", "203.0.113.9"),
        *("224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "::ffff:a9fe:a9fe"),
        *("64:ff9b::10.0.0.1", "64:ff9b:1::10.0.0.1", "2002:7f00:1::", "2002:a00:1::1"),
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",
    ],
)
def test_what_is_not_of_the_internet_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "200.160.2.3", "2606:4700::1111", "64:ff9b::1.1.1.1", "::ffff:1.1.1.1"]
)
def test_what_is_of_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]",
     "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "LOCALHOST", "localhost."],
)  # fmt: skip
async def test_no_way_of_writing_this_machine_leads_there(host: str) -> None:
    outbound = Outbound([], certificates().ca_file)
    with HttpsServer(answers()) as server:
        why = await failure(outbound, f"https://{host}:{server.port}/")

    assert why in {Failure.ADDRESS_PRIVATE, Failure.ADDRESS_INVALID, Failure.UNREACHABLE}
    assert server.asked == []


async def test_a_name_that_has_a_private_address_among_others_is_not_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", leads_to("1.1.1.1 127.0.0.1"))
    assert await failure(Outbound(), "https://provider.test") == Failure.ADDRESS_PRIVATE


async def test_a_name_is_looked_up_once_and_what_was_looked_at_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that means somebody else a moment later (DNS rebinding) leads nowhere else."""
    looked_at: list[str] = []

    def believe(address: object) -> bool:
        looked_at.append(str(address))
        return True

    with HttpsServer(answers()) as server:
        # An address of documentation (RFC 5737), at which nobody is, and then this machine's.
        monkeypatch.setattr(socket, "getaddrinfo", leads_to("192.0.2.7", ADDRESS, ADDRESS))
        monkeypatch.setattr(client, "is_public", believe)
        monkeypatch.setattr(client, "DEADLINE_SECONDS", 1)
        why = await failure(
            Outbound([], certificates().ca_file), f"https://provider.test:{server.port}/"
        )

    assert why in {Failure.TOO_SLOW, Failure.UNREACHABLE}
    assert (looked_at, server.asked) == (["192.0.2.7"], [])


async def test_a_host_by_name_is_asked_with_its_name_and_its_certificate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", leads_to(ADDRESS, ADDRESS))
    outbound = Outbound(["provider.test", "other.test"], certificates().ca_file)
    with HttpsServer(answers()) as server:
        assert await outbound.get_json(OWNER, f"https://provider.test:{server.port}/")
        why = await failure(outbound, f"https://other.test:{server.port}/")

    assert [one.headers["Host"] for one in server.asked] == [f"provider.test:{server.port}"]
    assert why == Failure.CERTIFICATE


async def test_the_next_address_is_tried_when_nobody_is_at_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", leads_to(f"127.0.0.2 {ADDRESS}"))
    outbound = Outbound(["provider.test"], certificates().ca_file)
    with HttpsServer(answers()) as server:
        assert await outbound.get_json(OWNER, f"https://provider.test:{server.port}/")


async def test_a_certificate_of_nobody_known_is_not_believed() -> None:
    with HttpsServer(answers()) as server:
        assert await failure(Outbound([ADDRESS]), server.origin) == Failure.CERTIFICATE
    assert server.asked == []


async def test_a_redirect_is_not_followed(outbound: Outbound) -> None:
    with (
        HttpsServer(answers()) as other,
        HttpsServer(answers(b"", status=302, headers={"Location": other.origin})) as server,
    ):
        assert await failure(outbound, server.origin) == Failure.REDIRECTED
    assert other.asked == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(FINE, 404), Failure.STATUS),
        (Answer(FINE, 500), Failure.STATUS),
        (Answer(FINE, media_type="text/html"), Failure.NOT_JSON),
        (Answer(FINE, media_type=""), Failure.NOT_JSON),
        (Answer(b"{"), Failure.NOT_JSON),
        (Answer(b"[1]"), Failure.NOT_JSON),
        (Answer(b"[" * 100_000), Failure.NOT_JSON),
        (Answer(b'{"a":"' + b"x" * ANSWER_BYTES + b'"}'), Failure.TOO_LARGE),
        (
            Answer(gzip.compress(b'{"a":"%b"}' % (b"x" * 10**7)), headers=GZIP),
            Failure.NOT_JSON,
        ),
    ],
)  # fmt: skip
async def test_an_answer_of_another_kind_is_refused(
    outbound: Outbound, answer: Answer, why: Failure
) -> None:
    with HttpsServer(lambda _: answer) as server:
        assert await failure(outbound, server.origin) == why


async def test_an_answer_may_be_of_a_kind_of_json(outbound: Outbound) -> None:
    with HttpsServer(answers(media_type="application/jwk-set+json; charset=utf-8")) as server:
        assert await outbound.get_json(OWNER, server.origin)


async def test_who_does_not_answer_in_time_is_given_up(
    outbound: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "DEADLINE_SECONDS", 0.5)

    def wait(_: Asked) -> Answer:
        server.over.wait(20)
        return Answer()

    with HttpsServer(wait) as server:
        begun = monotonic()
        assert await failure(outbound, server.origin) == Failure.TOO_SLOW
        assert monotonic() - begun < 5


async def test_who_answers_a_byte_at_a_time_is_given_up(
    outbound: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deadline is of the whole request: each byte alone comes in time."""
    monkeypatch.setattr(client, "DEADLINE_SECONDS", 1.0)

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.05)

    server = await asyncio.start_server(drip, ADDRESS, 0, ssl=certificates().server_context())
    port = server.sockets[0].getsockname()[1]
    assert await failure(outbound, f"https://{ADDRESS}:{port}") == Failure.TOO_SLOW
    server.close()


async def test_an_environment_with_proxies_changes_nothing(
    outbound: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROXIES:
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with HttpsServer(answers()) as server:
        assert await outbound.get_json(OWNER, server.origin)


async def test_one_owner_has_few_requests_at_a_time_and_others_do_not_wait(
    outbound: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "DEADLINE_SECONDS", 20)
    with (
        HttpsServer(lambda _: Answer(FINE if let_go() else b"")) as slow,
        HttpsServer(answers()) as quick,
    ):

        def let_go() -> bool:
            return slow.over.wait(20)

        waiting = [
            asyncio.create_task(outbound.get_json(OWNER, slow.origin))
            for _ in range(REQUESTS_PER_OWNER + 3)
        ]
        await eventually(lambda: len(slow.asked) == REQUESTS_PER_OWNER)
        assert await outbound.get_json(uuid4(), quick.origin) == json.loads(FINE)
        assert len(slow.asked) == REQUESTS_PER_OWNER
        slow.over.set()
        assert await asyncio.gather(*waiting) == [json.loads(FINE)] * len(waiting)


async def test_name_servers_that_do_not_answer_hold_few_threads_of_an_owner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "DEADLINE_SECONDS", 0.2)
    with HttpsServer(answers()) as server:
        real = socket.getaddrinfo

        def look_up(host: str, *rest: Any, **more: Any) -> Any:
            if host == "slow.test":
                server.over.wait(20)
                raise OSError
            return real(host, *rest, **more)

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        outbound = Outbound([ADDRESS], certificates().ca_file)
        for _ in range(REQUESTS_PER_OWNER):
            assert await failure(outbound, "https://slow.test") == Failure.TOO_SLOW
        begun = monotonic()
        assert await failure(outbound, "https://slow.test") == Failure.TOO_SLOW
        assert monotonic() - begun < 0.2, "the last was not even looked up"
        monkeypatch.setattr(client, "DEADLINE_SECONDS", 5)
        assert await outbound.get_json(uuid4(), server.origin) == json.loads(FINE)
        server.over.set()
        outbound.close()
