"""The people who work in a clinic, as their colleagues and its programs see them."""

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.users import StaffMember, colleagues
from clinic_chat.domain.clinics.scope import ClinicScope


async def list_staff(scope: ClinicScope) -> list[StaffMember]:
    """Everyone who works in the clinic now, sorted by name."""
    require(scope, Permission.READ_STAFF)
    async with scope.read() as session:
        return await colleagues(session, scope.clinic_id)
