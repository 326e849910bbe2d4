"""What this project takes for granted of Reflex's insides (docs/reflex.md), one test for each."""

import inspect
from pathlib import Path
from typing import Any

import pytest
import reflex as rx
from reflex.app import App, EventNamespace
from reflex.istate.manager.memory import StateManagerMemory
from reflex.state import State
from reflex_base.constants import CompileVars, Endpoint, Templates
from reflex_base.constants.route import RouteVar
from reflex_base.environment import environment
from reflex_base.utils.format import format_event_handler

from clinic_chat.realtime.gate import FRAMEWORK_EVENTS

WEB = Path(Templates.Dirs.WEB_TEMPLATE)


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_the_events_that_a_page_load_sends_are_handlers_of_the_root_state() -> None:
    def handlers(state: type[Any]) -> set[str]:
        own = {format_event_handler(handler) for handler in state.event_handlers.values()}
        return own.union(*(handlers(child) for child in state.get_substates()))

    assert set(FRAMEWORK_EVENTS) <= handlers(State)


def test_the_event_namespace_takes_connects_and_events_as_we_hand_them_on() -> None:
    assert parameters(EventNamespace.on_connect)[:3] == ["self", "sid", "environ"]
    assert parameters(EventNamespace.on_event)[:3] == ["self", "sid", "data"]
    assert parameters(EventNamespace.on_disconnect)[:2] == ["self", "sid"]
    assert "sid_to_token" in inspect.getsource(EventNamespace)


def test_the_token_of_a_tab_is_in_the_query_of_its_request() -> None:
    source = inspect.getsource(EventNamespace.on_connect)
    assert "QUERY_STRING" in source
    assert "token" in source


def test_an_app_has_what_states_are_kept_and_events_are_watched_with() -> None:
    fields = set(App.__dataclass_fields__)
    assert {"_state", "_event_namespace"} <= fields or hasattr(App, "event_namespace")
    assert hasattr(App, "event_processor") or "event_processor" in inspect.getsource(App)
    assert callable(App.set_contexts)


def test_events_under_way_are_kept_in_the_order_in_which_they_came() -> None:
    from reflex_base.event.processor import event_processor

    assert "self._futures: dict" in inspect.getsource(event_processor) or (
        "_futures" in event_processor.EventProcessor.__dataclass_fields__
    )


def test_a_look_at_a_state_in_memory_begins_its_time_anew() -> None:
    assert "get_state" in dir(StateManagerMemory)
    assert "token_expiration" in inspect.signature(StateManagerMemory).parameters


def test_names_on_the_wire_are_as_the_browser_knows_them() -> None:
    assert str(Endpoint.EVENT) == "/_event"
    assert CompileVars.CONNECT_AUTH_EVENT == "event"
    assert CompileVars.CONNECT_AUTH_STATE_SCHEMA == "state_schema"
    assert RouteVar.SESSION_ID

    class Named(rx.State):
        value: int = 0

    assert "value_rx_state_" in Named().dict()[Named.get_full_name()]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("utils/state.js", 'import io from "socket.io-client";'),
        ("utils/state.js", "eval("),
        ("utils/state.js", "localStorage"),
        ("utils/state.js", 'socket.current.on("event"'),
        ("app/routes.js", "route"),
    ],
)
def test_the_templates_have_what_the_build_changes(file: str, text: str) -> None:
    assert text in (WEB / file).read_text()


@pytest.mark.parametrize(
    "name",
    [
        "REFLEX_ENV_MODE",
        "REFLEX_SKIP_COMPILE",
        "REFLEX_MOUNT_FRONTEND_COMPILED_APP",
        "REFLEX_HOT_RELOAD_OVERRIDE_PATHS",
        "REFLEX_USE_SYSTEM_BUN",
    ],
)
def test_the_switches_of_the_environment_are_there(name: str) -> None:
    assert hasattr(environment, name)
