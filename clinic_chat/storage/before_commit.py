"""Work before a commit: what a transaction's changes add up to is written once, at its end."""

from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from clinic_chat.storage.scoping import ScopedSession

LAST_WORK = "last_work"


def before_commit(session: AsyncSession | Session, work: Callable[[Session], None]) -> None:
    """Run `work` once in this session's transaction, after all of its other changes."""
    session.info.setdefault(LAST_WORK, {})[work] = None


@event.listens_for(ScopedSession, "before_commit")
def _do_last_work(session: Session) -> None:
    for work in session.info.pop(LAST_WORK, {}):
        work(session)
