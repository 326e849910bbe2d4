"""What a client may name on the socket, and everything else that it may try."""

from reflex.state import BaseState, State
from reflex_base.utils.format import format_event_handler

from clinic_chat.realtime.gate import FRAMEWORK_EVENTS, exposed_events
from clinic_chat.realtime.server import RealtimeServer
from clinic_chat.services import Services
from clinic_chat.settings import Settings
from clinic_chat.ui.account.state import Account
from clinic_chat.ui.inbox.state import Inbox
from clinic_chat.ui.thread.state import Thread

STATES = (Account, Inbox, Thread)
EXPOSED = exposed_events(STATES)
ACCOUNT = Account.get_full_name()
LOAD = f"{ACCOUNT}.load"
ROOT = "reflex___state____state"
HYDRATE = f"{ROOT}.hydrate_and_load"


def commands() -> list[str]:
    """The names of everything that a tab may ask for beside state events."""
    return list(RealtimeServer(Services(Settings())).commands.by_name())


def forged_names() -> list[str]:
    """Names of handlers that exist and are not for browsers, and of things that are no handlers."""
    states: list[type[BaseState]] = [State, *_below(State)]
    hidden = [
        format_event_handler(handler)
        for state in states
        for handler in state.event_handlers.values()
    ]
    private = [
        f"{state.get_full_name()}.{name}"
        for state in (State, *STATES)
        for name in dir(state)
        if callable(getattr(state, name, None))
    ]
    odd = ["", ".", "open", "state.open", ACCOUNT, f"{ACCOUNT}.", f"{LOAD}.fn"]
    odd += [
        f"{ACCOUNT}.LOAD",
        f" {LOAD}",
        f"{ACCOUNT}..load",
        f"{Inbox.get_full_name()}.load",
        f"{Thread.get_full_name()}.load",
        "x" * 5000,
    ]
    allowed = EXPOSED | set(FRAMEWORK_EVENTS)
    return sorted({*hidden, *private, *odd} - allowed)


def _below(state: type[BaseState]) -> list[type[BaseState]]:
    return [each for child in state.get_substates() for each in (child, *_below(child))]
