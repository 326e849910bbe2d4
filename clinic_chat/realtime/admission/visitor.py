"""Whose a connection is: known from its handshake on, before anything of it is kept."""

from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol

from clinic_chat.realtime.admission.pace import Pace

# Where the namespace's connect handler finds it in what stands for the request.
VISITOR = "clinic_chat.visitor"
# Why a handshake leads nowhere, as the page is told.
UNAUTHORIZED = "unauthorized"
UNAVAILABLE = "unavailable"


@dataclass(eq=False, slots=True)
class Visitor:
    """The signed-in person behind one connection."""

    cookie: str
    identity: Any
    address: str
    token: str
    """What the tab calls itself; a name, not a credential."""
    pace: Pace
    account: Any
    over: bool = False
    """Whether the session ended before the connection entered the namespace."""
    checked_at: float = field(default_factory=monotonic)


class Refused(Exception):
    """The handshake is answered, and then refused in Socket.IO's way with this message."""


class TooMany(Exception):
    """The handshake is refused at once: a limit is reached."""


class Admission(Protocol):
    """Who decides which handshakes lead to a connection."""

    async def admit(self, scope: Any) -> Visitor:
        """The person behind a handshake, counted.

        Raises:
            Refused: there is no live session, or nobody can say.
            TooMany: a limit is reached.
        """

    def belongs(self, scope: Any, visitor: Visitor) -> bool:
        """Whether a further request of a connection is its own session's."""

    def leave(self, visitor: Visitor) -> None:
        """The connection of an admitted visitor is over."""
