"""Personal changes: changes of one person's own data, sent to all of their tabs and devices."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from clinic_chat.domain.accounts.users import Membership
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.events.log import PersonalChange
from clinic_chat.storage.database import AnySession, announce


async def own_membership(session: AsyncSession, scope: ClinicScope) -> Membership:
    """The acting person's membership in the clinic, which numbers their personal changes."""
    return await session.get_one(Membership, (scope.staff_id(), scope.clinic_id))


def announce_personal(session: AnySession, membership: Membership, change: dict[str, Any]) -> int:
    """Number the change and announce it for after the commit; returns the number."""
    membership.personal_version += 1
    announce(
        session,
        PersonalChange(
            membership.clinic_id, membership.user_id, membership.personal_version, change
        ),
    )
    return membership.personal_version
