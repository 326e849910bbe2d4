"""Retention of the event log: events are deleted some time after they were committed.

They have ids and numbers only, and serve tabs and readers that were away: a tab that was away for
longer gets a snapshot. The newest event of a clinic stays, and none goes that a reader has to take.
"""

from datetime import datetime

from sqlalchemy import delete, func, select

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.clinics.scope import ClinicScope, locked_clinic
from clinic_chat.domain.events.log import Event
from clinic_chat.domain.events.readers import LogReader

BATCH = 1_000


async def delete_events(scope: ClinicScope, before: datetime) -> int:
    """Delete up to BATCH of a clinic's oldest events that were committed before a time.

    Returns their number.
    """
    require(scope, Permission.DELETE_EXPIRED)
    async with scope.write() as session:
        clinic = locked_clinic(session)
        taken = await session.scalar(
            select(func.min(LogReader.cursor)).where(LogReader.clinic_id == clinic.id)
        )
        last = min(clinic.last_event_seq - 1, clinic.last_event_seq if taken is None else taken)
        rows = await session.execute(
            select(Event.seq, Event.at).where(Event.seq <= last).order_by(Event.seq).limit(BATCH)
        )
        expired = [row.seq for row in rows if row.at < before]
        if expired:
            await session.execute(delete(Event).where(Event.seq <= expired[-1]))
    return len(expired)
