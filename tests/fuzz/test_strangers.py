"""Anybody may say anything, in any order, and stop anywhere: no internal error, no growth.

`CLINIC_CHAT_FUZZ_EXAMPLES=2000 pytest -n0 tests/fuzz` takes so many random examples instead of the
few that are always the same.
"""

import json
import os
import re
import time
from collections import Counter
from typing import Any
from urllib.parse import urlencode

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    rule,
    run_state_machine_as_test,
)

from tests.fuzz import values
from tests.fuzz.conftest import Target
from tests.fuzz.peers import Peer, Polls, WebSocket, exchange, journal, request
from tests.load.servers.observed import Alive
from tests.support import exposed_events

BY_HAND = int(os.environ.get("CLINIC_CHAT_FUZZ_EXAMPLES", "0"))
EXAMPLES, STEPS = BY_HAND or 50, 25
BOUNDED = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    derandomize=not BY_HAND,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
ROUTES = values.routes()
# What a connection is known by in the server; another one may just come or go.
SPARE_OBJECTS = 5
GROWTH = 0.10
# Longer than a dead peer and a lost tab are waited for.
CALM_SECONDS = 45.0
LOOK_SECONDS = 1.0
OK, UNAVAILABLE = 200, 503
CONNECTIONS = ("PollingSocket", "Peer", "FrameProtocol")


Faults = dict[str, list[str]]
"""Each kind of fault that was found, with what was said before it."""


def strangers(target: Target, seen: Counter[str], faults: Faults) -> type[RuleBasedStateMachine]:
    """Clients of this server, each of them anywhere in what it does."""

    class Strangers(RuleBasedStateMachine):
        sockets = Bundle("sockets")
        polls = Bundle("polls")
        halves = Bundle("halves")

        def __init__(self) -> None:
            super().__init__()
            self._open: list[Any] = []

        def _kept(self, peer: Any) -> Any:
            self._open.append(peer)
            seen[type(peer).__name__] += 1
            return peer

        @rule(target=sockets, known=st.booleans())
        def open_websocket(self, known: bool) -> WebSocket:
            return self._kept(WebSocket(target.host, target.cookie if known else {}))

        @rule(target=polls, known=st.booleans())
        def open_polling(self, known: bool) -> Polls:
            peer = self._kept(Polls(target.host, target.cookie if known else {}))
            self._note(peer.opened)
            return peer

        @rule(peer=sockets | polls, auth=st.just({}) | values.objects | values.values)
        def enter(self, peer: Any, auth: Any) -> None:
            self._note(peer.text(f"40{values.NAMESPACE},{json.dumps(auth)}"))

        @rule(
            peer=sockets | polls, act=values.commands, arguments=values.arguments, own=st.booleans()
        )
        def act(self, peer: Any, act: str, arguments: list[Any], own: bool) -> None:
            if own and arguments and isinstance(arguments[0], dict):
                arguments[0]["conversationId"] = target.conversation
            seen[act] += 1
            text = f"42{values.NAMESPACE},1{json.dumps([act, *arguments])}"
            self._note(peer.text(text))

        @rule(
            peer=sockets | polls,
            name=values.state_events,
            payload=values.objects | values.values,
            router_data=values.objects | values.values,
        )
        def state_event(self, peer: Any, name: str, payload: Any, router_data: Any) -> None:
            seen[name] += 1
            event = {"name": name, "payload": payload, "router_data": router_data}
            self._note(peer.text(f"42{values.NAMESPACE},{json.dumps(['event', event])}"))

        @rule(peer=sockets | polls, frame=values.frames)
        def say_anything(self, peer: Any, frame: str) -> None:
            self._note(peer.text(frame))

        @rule(peer=polls, several=st.lists(values.frames, max_size=20))
        def post_several(self, peer: Polls, several: list[str]) -> None:
            self._note(peer.text("\x1e".join(several)))

        @rule(peer=sockets | polls, data=st.binary(max_size=200) | st.just(bytes(100_000)))
        def send_binary(self, peer: Any, data: bytes) -> None:
            self._note(peer.binary(data))

        @rule(
            peer=sockets,
            opcode=st.integers(0, 15),
            data=st.binary(max_size=140) | st.just(b"4" * 60_000),
            final=st.booleans(),
            times=st.sampled_from([1, 1, 3, 500]),
        )
        def send_frames(
            self, peer: WebSocket, opcode: int, data: bytes, final: bool, times: int
        ) -> None:
            for _ in range(times if len(data) < 200 else 1):
                peer.frame(opcode, data, final)

        @rule(peer=sockets, data=st.binary(max_size=40))
        def send_no_frame(self, peer: WebSocket, data: bytes) -> None:
            peer.say(data)

        @rule(peer=polls)
        def poll(self, peer: Polls) -> None:
            peer.poll()

        @rule(peer=consumes(sockets) | consumes(polls) | consumes(halves), reset=st.booleans())
        def leave(self, peer: Any, reset: bool) -> None:
            self._open.remove(peer)
            peer.close(reset)

        @rule(
            target=halves,
            route=st.sampled_from(ROUTES),
            body=values.objects,
            share=st.floats(0, 1),
        )
        def half_a_request(self, route: tuple[str, str], body: Any, share: float) -> Peer:
            method, path = route
            whole = request(target.host, method, path, target.bearer, json.dumps(body).encode())
            peer = self._kept(Peer(target.host))
            peer.say(whole[: int(len(whole) * share)])
            return peer

        @rule(peer=halves, data=st.binary(max_size=50))
        def go_on(self, peer: Peer, data: bytes) -> None:
            peer.say(data)

        @rule(
            route=st.sampled_from(ROUTES),
            other=st.none() | values.methods,
            who=st.sampled_from(["bearer", "cookie", "nobody"]),
            query=values.queries,
            headers=values.headers,
            body=values.objects.map(lambda one: json.dumps(one).encode())
            | st.binary(max_size=100)
            | values.forms.map(lambda one: urlencode(one, errors="replace").encode())
            | st.just(b"[" * 60_000),
        )
        def ask_over_http(
            self,
            route: tuple[str, str],
            other: str | None,
            who: str,
            query: str,
            headers: dict[str, str],
            body: bytes,
        ) -> None:
            method, path = route
            # The one who stays signed in would not be.
            known = {"bearer": target.bearer, "cookie": target.cookie, "nobody": {}}[who]
            if path.startswith("/auth") and who == "cookie":
                known = {}
            seen[f"{method} {path}"] += 1
            status, _ = exchange(
                target.host, other or method, path + query, {**known, **headers}, body
            )
            self._note(status)

        def teardown(self) -> None:
            for peer in self._open:
                peer.close()
            status, _ = exchange(target.host, "GET", "/readyz", {})
            self._note(None if status == OK else 500)
            # What a server complains of comes some time after what was said, so an example that
            # is tried again in a smaller form would prove nothing; the journal says it instead.
            for complaint in target.complaints():
                faults.setdefault(_origin(complaint), [complaint, *map(repr, journal)])

        def _note(self, status: int | None) -> None:
            if status is not None and status >= 500 and status != UNAVAILABLE:
                faults.setdefault(f"status {status}", [*map(repr, journal)])

    return Strangers


def test_strangers_cause_no_internal_error_and_leave_nothing_behind(target: Target) -> None:
    faults: Faults = {}
    for act in exposed_events.commands():
        _anything_of_any_size(target, act, faults)
    before = _calm(target, None)
    seen: Counter[str] = Counter()

    run_state_machine_as_test(strangers(target, seen, faults), settings=BOUNDED)

    assert faults == {}
    after = _calm(target, before)
    assert _connections(after) == {}
    assert _more_of(before, after) == {}
    assert after.bytes < before.bytes * (1 + GROWTH)
    assert len([name for name in seen if ":" in name]) > 5


def _anything_of_any_size(target: Target, act: str, faults: Faults) -> None:
    peer = WebSocket(target.host, target.cookie)
    peer.text(f"40{values.NAMESPACE},{{}}")
    every: tuple[Any, ...] = (*values.LONG, 2**70, None, [], [[]], {}, {"ids": [None] * 500}, 1.5)
    for value in every:
        for arguments in ((value,), (dict.fromkeys(values.FIELDS, value),), (value, value)):
            peer.text(f"42{values.NAMESPACE},1{json.dumps([act, *arguments])}")
    status, _ = exchange(target.host, "GET", "/readyz", {})
    peer.close()
    if status != OK:
        faults[f"not ready after {act}"] = [f"status {status}"]
    for complaint in target.complaints():
        faults.setdefault(_origin(complaint), [complaint, act])


def _origin(complaint: str) -> str:
    """What tells one fault from another: the line without its time."""
    return re.sub(r'"timestamp": "[^"]*"', "", complaint)


def _calm(target: Target, wanted: Alive | None) -> Alive:
    """What is alive once nobody is there, at the latest after CALM_SECONDS."""
    give_up = time.monotonic() + CALM_SECONDS
    while True:
        time.sleep(LOOK_SECONDS)
        found = target.alive()
        done = not _connections(found) and not (wanted and _more_of(wanted, found))
        if done or time.monotonic() > give_up:
            return found


def _connections(found: Alive) -> dict[str, int]:
    """Those that are there. Whose they were is known longer, by the states of lost tabs."""
    return {n: count for n, count in found.types.items() if n.rpartition(".")[2] in CONNECTIONS}


def _more_of(before: Alive, after: Alive) -> dict[str, int]:
    more = {name: count - before.types.get(name, 0) for name, count in after.types.items()}
    return {name: count for name, count in more.items() if count > SPARE_OBJECTS}
