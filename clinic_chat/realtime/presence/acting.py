"""What presence, typing and viewing need to know of a socket: who acts through it."""

from typing import Protocol
from uuid import UUID


class ActingIdentity(Protocol):
    """The person, or the program, as colleagues see them."""

    @property
    def clinic_id(self) -> UUID:
        """The clinic they act in."""

    @property
    def user_id(self) -> UUID:
        """A person's id, or that of a program's token."""

    @property
    def user_name(self) -> str:
        """The name that colleagues read."""


class ActingSocket(Protocol):
    """A tab's or a program's socket."""

    @property
    def sid(self) -> str:
        """Its id."""

    @property
    def gone(self) -> bool:
        """Whether it is closed; to be checked after an `await`."""

    @property
    def identity(self) -> ActingIdentity:
        """Who acts."""
