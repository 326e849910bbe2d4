"""A member of a clinic's staff as programs get them."""

from typing import Self

from clinic_chat.domain.accounts.users import StaffMember
from clinic_chat.domain.clinics.actors import Role
from clinic_chat.domain.public_api.view import ViewModel


class ApiStaffMember(ViewModel):
    """A member of staff."""

    id: str
    name: str
    role: Role
    online: bool
    """Whether they have the clinic open in a browser."""

    @classmethod
    def of(cls, member: StaffMember, *, online: bool) -> Self:
        """The part of a colleague that programs may see; a new field is hidden until listed."""
        return cls(id=member.id, name=member.name, role=Role(member.role), online=online)
