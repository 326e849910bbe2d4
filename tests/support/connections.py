"""A tab of the realtime server, without a socket."""

from clinic_chat.domain.accounts.sessions import COOKIE_NAME
from clinic_chat.realtime.connections import Connection
from clinic_chat.realtime.feeds import inbox, thread
from clinic_chat.realtime.feeds.subscriptions import Wanted
from clinic_chat.realtime.server import RealtimeServer
from tests.conftest import PASSWORD
from tests.support.people import ANA

SID = "one"


def workspace_feeds(conversation_id: str | None = None) -> list[Wanted]:
    """The clinic's list, and the conversation that is open."""
    return [
        Wanted(inbox.FEED, inbox.KEY),
        Wanted(thread.FEED, conversation_id, again=True),
    ]


async def opened(live: RealtimeServer) -> Connection:
    """Ana's, who is signed in, under the name `SID`."""
    sessions = live.connections._sessions
    cookie = await sessions.sign_in(ANA, PASSWORD)
    header = f'consent={{"a":1,"b":[2]}}; {COOKIE_NAME}={cookie}'
    visitor = await live.handshakes.admit({"headers": [(b"cookie", header.encode())]})
    connection = live.connections.admit(SID, visitor)
    assert connection is not None
    return connection
