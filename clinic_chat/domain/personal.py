"""Changes that are one person's alone: they go to all of that person's tabs and devices."""

from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.events import Personal
from clinic_chat.domain.scope import ClinicScope
from clinic_chat.domain.staff import Membership
from clinic_chat.storage.database import announce
from clinic_chat.storage.scoping import AGAIN


async def announce_personal(
    session: AsyncSession, scope: ClinicScope, change: dict[str, Any]
) -> int:
    """Number the change and announce it for after the commit; returns the number."""
    user_id = scope.staff_id()
    whose = {"person": user_id, "clinic": scope.clinic_id}
    membership = (await session.scalars(_MEMBERSHIP, whose)).one()
    membership.personal_version += 1
    announce(session, Personal(scope.clinic_id, user_id, membership.personal_version, change))
    return membership.personal_version


_MEMBERSHIP = (
    select(Membership)
    .where(
        Membership.user_id == bindparam("person"),
        Membership.clinic_id == bindparam("clinic"),
    )
    .execution_options(**{AGAIN: True})
)
