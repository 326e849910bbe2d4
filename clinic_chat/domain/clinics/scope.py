"""Clinic scope: the clinic and the actor of a use case, which is its first argument."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from clinic_chat.domain.clinics.actors import Actor, StaffActor
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.errors import Forbidden, NotFound
from clinic_chat.storage.database import AnySession, Database, Work
from clinic_chat.storage.statements import ON_EVENT_LOOP

LOCKED_CLINIC = "locked_clinic"
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ClinicScope:
    """One clinic's data, seen by one actor.

    Every session it opens is bound to the clinic (see storage/scoping.py).
    """

    database: Database
    clinic_id: UUID
    actor: Actor
    address: str = ""
    """The network address that the actor's request came from, "" for this server itself."""
    _session: AsyncSession | None = field(default=None, repr=False, compare=False)

    @property
    def user_id(self) -> UUID | None:
        """The acting staff member's id, None for other actors."""
        return self.actor.user_id if isinstance(self.actor, StaffActor) else None

    def read(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A session that sees this clinic only."""
        if self._session is not None:
            return nullcontext(self._session)
        return self.database.read(self.clinic_id)

    @asynccontextmanager
    async def read_snapshot(self) -> AsyncIterator[Self]:
        """A copy of this scope for reading only; all its reads see one snapshot.

        They share one session and must run one after the other. A session of its own would cost
        more than most reads.
        """
        async with self.read() as session:
            yield replace(self, _session=session)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction in this clinic, serialised with the clinic's other writers.

        The clinic's row is locked first, so `seq` numbers have no holes and events commit in
        the order of their numbers (docs/security.md, "Rules").
        """
        async with self.database.write(self.clinic_id) as session:
            await session.run_sync(_lock, self.clinic_id)
            yield session

    async def transact(self, work: Work[Result]) -> Result:
        """The result of `work`, run in one go in a transaction as of `write`."""
        return await self.database.transact(self.clinic_id, self._locked(work))

    async def transact_shared(self, work: Work[Result]) -> Result:
        """The result of `work`, run in a transaction shared with the clinic's other waiting writes.

        `work` may run twice, and must have no effects outside of its session.
        """
        return await self.database.write_together(self.clinic_id, self._locked(work))

    def _locked(self, work: Work[Result]) -> Work[Result]:
        def locked(session: Session) -> Result:
            _lock(session, self.clinic_id)
            return work(session)

        return locked

    def staff_id(self) -> UUID:
        """The acting staff member's id.

        Raises:
            Forbidden: the actor is not a person of the clinic's staff.
        """
        if self.user_id is None:
            raise Forbidden("this needs a staff member")
        return self.user_id


def locked_clinic(session: AnySession) -> Clinic:
    """The clinic row that is locked for this transaction."""
    clinic: Clinic = session.info[LOCKED_CLINIC]
    return clinic


_LOCKED = (
    select(Clinic)
    .where(Clinic.id == bindparam("clinic"))
    .with_for_update()
    .execution_options(**ON_EVENT_LOOP)
)


def _lock(session: Session, clinic_id: UUID) -> None:
    if LOCKED_CLINIC in session.info:
        return
    clinic = session.scalar(_LOCKED, {"clinic": clinic_id})
    if clinic is None:
        raise NotFound("no such clinic")
    session.info[LOCKED_CLINIC] = clinic
