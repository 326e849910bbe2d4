"""The frame of the settings screens: where one is, the other screens, and the way back."""

import reflex as rx
from reflex.event import EventSpec

from clinic_chat.domain.clinics.actors import Role
from clinic_chat.ui.account.menu import account_forms, leaving_dialog
from clinic_chat.ui.account.state import Account
from clinic_chat.ui.components.connection_badge import connection_badge
from clinic_chat.ui.components.controls import Boundary, HydratedFields, Notices
from clinic_chat.ui.components.texts import inner_link
from clinic_chat.ui.i18n import t
from clinic_chat.ui.i18n.text_domains import TextDomain
from clinic_chat.ui.inbox.state import Inbox
from clinic_chat.ui.thread.state import Thread
from clinic_chat.ui.workspace.bridge import LiveBridge

ADMINISTRATORS = (Role.ADMIN,)
TRAIL_READERS = (Role.ADMIN, Role.AUDITOR)


class SettingsTexts(rx.Fragment):
    """Brings the catalog of the settings screens (ui/i18n) with a page."""

    def add_imports(self) -> dict[str, str]:
        """A module that is imported for what it does."""
        return {"": f"$/{TextDomain.SETTINGS.module}"}


def settings_page(route: str, title: rx.Var[str], *children: rx.Component) -> rx.Component:
    """A settings screen at `route`."""
    return rx.el.div(
        SettingsTexts.create(),
        LiveBridge.create(
            inbox_state=Inbox.get_full_name(),
            thread_state=Thread.get_full_name(),
            phase=Thread.phase,
            user_id=Account.user_id,
            clinic=Account.clinic,
            time_zone=Account.time_zone,
            locale=Account.locale,
            sound=Account.sound,
            clinic_name=Account.clinic_name,
            patient_name="",
        ),
        rx.el.header(
            inner_link(
                rx.icon("arrow-left", size=18),
                t("Back to conversations"),
                to="/" + Inbox.filter_query,
                class_name="settings-back",
            ),
            rx.el.nav(
                _link(route, "/settings/account", t("My account")),
                _link(route, "/settings/staff", t("Staff"), ADMINISTRATORS),
                _link(route, "/settings/clinic", t("Clinic"), ADMINISTRATORS),
                _link(route, "/settings/sso", t("Single sign-on"), ADMINISTRATORS),
                _link(route, "/settings/tokens", t("API tokens"), ADMINISTRATORS),
                _link(route, "/settings/webhooks", t("Webhooks"), ADMINISTRATORS),
                _link(route, "/settings/audit", t("Audit trail"), TRAIL_READERS),
                class_name="settings-nav",
                aria_label=t("Settings"),
            ),
            connection_badge(),
            class_name="settings-header",
        ),
        rx.el.main(
            Boundary.create(
                rx.el.div(
                    rx.el.h1(title, class_name="settings-title"),
                    HydratedFields.create(*children, class_name="settings-fields"),
                    class_name="settings-content",
                ),
                whole=True,
            ),
            id="settings",
            class_name="settings-main",
        ),
        account_forms(),
        Boundary.create(leaving_dialog()),
        Boundary.create(Notices.create()),
        class_name="settings",
    )


def section(title: rx.Var[str], *children: rx.Component) -> rx.Component:
    """A part of a settings screen under a heading."""
    return rx.el.section(
        rx.el.h2(title, class_name="settings-heading"), *children, class_name="settings-section"
    )


def field(label: rx.Var[str], name: str, control: rx.Component) -> rx.Component:
    """A form's field: its label above its control, whose id is `name`."""
    return rx.el.div(rx.el.label(label, html_for=name), control, class_name="settings-field")


def alert(text: rx.Var[str]) -> rx.Component:
    """Why the last try failed, read out; nothing for an empty text."""
    return rx.el.p(text, role="alert", class_name="settings-alert")


def done(text: rx.Var[str]) -> rx.Component:
    """What was done, read out; nothing for an empty text."""
    return rx.el.p(text, role="status", class_name="settings-done")


def question(
    text: rx.Var[str], action: rx.Var[str], on_action: EventSpec, on_cancel: EventSpec
) -> rx.Component:
    """A question in the place of the button that led to it: do it, or leave it."""
    return rx.el.div(
        rx.el.p(text, role="alert"),
        rx.el.div(
            rx.el.button(
                action, type="button", class_name="button button-danger", on_click=on_action
            ),
            rx.el.button(
                t("Cancel"),
                type="button",
                class_name="button",
                # The question took the place of what had the focus.
                auto_focus=True,
                on_click=on_cancel,
            ),
            class_name="settings-actions",
        ),
        class_name="settings-question",
    )


def role_names() -> dict[Role, rx.Var[str]]:
    """The roles as people read them, those that most people have first."""
    return {
        Role.RECEPTIONIST: t("Receptionist"),
        Role.PROFESSIONAL: t("Professional"),
        Role.ADMIN: t("Administrator"),
        Role.AUDITOR: t("Auditor"),
    }


def role_name(role: rx.Var[str]) -> rx.Var[str]:
    """A role as people read it."""
    return rx.match(role, *((one.value, name) for one, name in role_names().items()), role)


def _link(here: str, address: str, name: rx.Var[str], roles: tuple[Role, ...] = ()) -> rx.Component:
    """A link to a screen; without `roles` it is for everybody."""
    link = inner_link(
        name,
        to=address,
        class_name="settings-link",
        custom_attrs={"aria-current": "page" if here == address else "false"},
    )
    if not roles:
        return link
    allowed = Account.role == roles[0].value
    for role in roles[1:]:
        allowed = allowed | (Account.role == role.value)
    return rx.cond(allowed, link, rx.fragment())
