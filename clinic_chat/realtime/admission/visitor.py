"""The visitor of a connection, identified in its handshake before anything of it is kept."""

from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol

from clinic_chat.realtime.admission.pace import Pace

# The visitor's key in the environ that the namespace's connect handler gets.
VISITOR = "clinic_chat.visitor"
# The reasons for a refused handshake, as the page gets them.
UNAUTHORIZED = "unauthorized"
UNAVAILABLE = "unavailable"


@dataclass(eq=False, slots=True)
class Visitor:
    """The signed-in person, or the program with a token, behind one connection."""

    cookie: str | None
    """Of the handshake; a program has none, or one that is worth nothing."""
    identity: Any
    address: str
    token: str
    """The token that the tab chose for itself; a name, not a credential."""
    pace: Pace
    account: Any
    over: bool = False
    """Whether the session ended before the connection entered the namespace."""
    checked_at: float = field(default_factory=monotonic)


class Refused(Exception):
    """The handshake is answered, and the connect to the namespace refused with this message."""


class TooMany(Exception):
    """The handshake is refused at once: a limit is reached."""


class Admission(Protocol):
    """Decides which handshakes lead to a connection."""

    async def admit(self, scope: Any) -> Visitor:
        """The visitor of a handshake, counted until `leave`.

        Raises:
            Refused: there is no live session, or no database to look for it.
            TooMany: a limit is reached.
        """

    async def admit_program(self, scope: Any, namespace: str, auth: Any) -> Visitor:
        """The program that a connect packet after a handshake identifies, counted until `leave`.

        Raises:
            ProgramRefused: there is no valid token of this clinic, or no database to look for it.
            TooMany: a limit is reached.
        """

    def belongs(self, scope: Any, visitor: Visitor) -> bool:
        """Whether a further request of a connection has the cookie of its handshake."""

    def leave(self, visitor: Visitor) -> None:
        """Stop counting the connection of an admitted visitor, which has ended."""
