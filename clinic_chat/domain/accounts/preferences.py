"""Preferences: a person's language and sound setting, the same on all of their devices."""

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.personal_changes import announce_personal, own_membership
from clinic_chat.domain.accounts.users import LOCALES, User
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.errors import InvalidInput


async def save_preferences(
    scope: ClinicScope, *, locale: object = None, sound: object = None
) -> None:
    """Save the language, or whether new messages make a sound; None leaves a setting unchanged.

    Raises:
        InvalidInput: `locale_invalid` or `sound_invalid`.
    """
    require(scope, Permission.CHANGE_OWN_PREFERENCES)
    if locale is not None and locale not in LOCALES:
        raise InvalidInput(f"locale must be one of {', '.join(LOCALES)}", code="locale_invalid")
    if sound is not None and not isinstance(sound, bool):
        raise InvalidInput("sound is true or false", code="sound_invalid")
    async with scope.write() as session:
        user = await session.get_one(User, scope.staff_id())
        if locale is not None:
            user.locale = str(locale)
        if sound is not None:
            user.sound = sound
        announce_personal(
            session,
            await own_membership(session, scope),
            {"type": "preferences", "locale": user.locale, "sound": user.sound},
        )
