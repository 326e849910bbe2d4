"""Staff screen: a clinic's members, their roles, and the links by which people join."""

import reflex as rx

from clinic_chat.ui.account.state import Account
from clinic_chat.ui.components.controls import InvitationLink
from clinic_chat.ui.components.texts import UNTRANSLATED
from clinic_chat.ui.components.times import LongDate, RelativeTime
from clinic_chat.ui.i18n import t
from clinic_chat.ui.i18n.error_texts import ADMINISTRATION, error_text
from clinic_chat.ui.settings.layout import (
    alert,
    field,
    question,
    role_name,
    role_names,
    section,
    settings_page,
)
from clinic_chat.ui.settings.staff.state import InvitationRow, MemberRow, StaffSettings

ROUTE = "/settings/staff"
ON_LOAD = [Account.load, StaffSettings.load]


def staff_page() -> rx.Component:
    """Members first, then how others join."""
    return settings_page(
        ROUTE,
        t("Staff"),
        alert(
            rx.cond(StaffSettings.error != "", error_text(ADMINISTRATION, StaffSettings.error), "")
        ),
        section(
            t("Invite someone"),
            rx.el.form(
                field(
                    t("Email"),
                    "email",
                    rx.el.input(
                        id="email", name="email", type="email", required=True, max_length=254
                    ),
                ),
                field(
                    t("Role"), "role", _roles(id="role", name="role", default_value="receptionist")
                ),
                rx.el.button(t("Make a link"), type="submit", class_name="button button-primary"),
                on_submit=StaffSettings.invite,
                reset_on_submit=True,
                class_name="settings-form settings-form-row",
            ),
            rx.cond(StaffSettings.link != "", _new_link(), rx.fragment()),
        ),
        rx.cond(
            StaffSettings.invitations.length() > 0,
            section(
                t("Open invitations"),
                rx.el.ul(
                    rx.foreach(StaffSettings.invitations, _invitation), class_name="settings-list"
                ),
            ),
            rx.fragment(),
        ),
        section(
            t("Members"),
            rx.cond(
                StaffSettings.ready,
                rx.el.ul(rx.foreach(StaffSettings.members, _member), class_name="settings-list"),
                rx.el.p(t("Loading…"), class_name="text-quiet", role="status"),
            ),
        ),
    )


def _roles(**props: object) -> rx.Component:
    return rx.el.select(
        *[rx.el.option(name, value=role.value) for role, name in role_names().items()], **props
    )


def _new_link() -> rx.Component:
    return rx.el.div(
        rx.el.p(
            rx.cond(
                StaffSettings.link_kind == "join",
                t(
                    "Send this link to {email}. It works once, for 7 days.",
                    email=StaffSettings.link_email,
                ),
                t(
                    "Send this link to {email}. It works once, for 24 hours.",
                    email=StaffSettings.link_email,
                ),
            ),
            role="status",
        ),
        InvitationLink.create(text=StaffSettings.link),
        rx.el.div(
            rx.el.button(
                t("Done"), type="button", class_name="button", on_click=StaffSettings.close_link
            ),
            class_name="settings-actions",
        ),
        class_name="settings-new-link",
    )


def _invitation(row: rx.Var[InvitationRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.strong(row.email, custom_attrs=UNTRANSLATED),
            rx.el.span(
                role_name(row.role),
                " · ",
                t("until "),
                LongDate.create(at=row.expires_at),
                class_name="text-quiet",
            ),
            class_name="settings-list-text",
        ),
        rx.el.button(
            t("Take back"),
            type="button",
            class_name="button",
            aria_label=t("Take back the invitation of {email}", email=row.email),
            on_click=StaffSettings.revoke(row.id),
        ),
        key=row.id,
        class_name="settings-list-item",
    )


def _member(row: rx.Var[MemberRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.strong(row.name, rx.cond(row.is_me, t(" (you)"), ""), custom_attrs=UNTRANSLATED),
            rx.el.span(row.email, class_name="text-quiet", custom_attrs=UNTRANSLATED),
            rx.el.span(
                rx.cond(
                    row.is_active,
                    rx.cond(
                        row.seen_at != "",
                        rx.fragment(t("Active "), RelativeTime.create(at=row.seen_at)),
                        t("Not signed in"),
                    ),
                    t("Deactivated"),
                ),
                class_name="text-quiet",
            ),
            class_name="settings-list-text",
        ),
        rx.cond(row.is_active, _of_active(row), _of_deactivated(row)),
        key=row.id,
        class_name="settings-list-item",
        custom_attrs={"data-user": row.id, "data-active": row.is_active},
    )


def _of_active(row: rx.Var[MemberRow]) -> rx.Component:
    return rx.cond(
        StaffSettings.asked == row.id,
        question(
            t("{name} is signed out at once and cannot come back.", name=row.name),
            t("Deactivate"),
            StaffSettings.deactivate(row.id),
            StaffSettings.ask(""),
        ),
        rx.el.div(
            _roles(
                value=row.role,
                on_change=lambda role: StaffSettings.change_role(row.id, role),
                aria_label=t("Role of {name}", name=row.name),
                class_name="settings-select",
            ),
            rx.el.button(
                t("New password"),
                type="button",
                class_name="button",
                aria_label=t("New password for {name}", name=row.name),
                on_click=StaffSettings.make_reset_link(row.id, row.email),
            ),
            rx.cond(
                row.has_factor,
                rx.el.button(
                    t("Remove second step"),
                    type="button",
                    class_name="button",
                    aria_label=t("Remove second step: {name}", name=row.name),
                    on_click=StaffSettings.remove_factor(row.id),
                ),
                rx.fragment(),
            ),
            rx.cond(
                row.sessions > 0,
                rx.el.button(
                    t("Sign out everywhere"),
                    type="button",
                    class_name="button",
                    aria_label=t("Sign out everywhere: {name}", name=row.name),
                    on_click=StaffSettings.end_sessions(row.id),
                ),
                rx.fragment(),
            ),
            rx.el.button(
                t("Deactivate"),
                type="button",
                class_name="button",
                aria_label=t("Deactivate {name}", name=row.name),
                on_click=StaffSettings.ask(row.id),
            ),
            class_name="settings-actions",
        ),
    )


def _of_deactivated(row: rx.Var[MemberRow]) -> rx.Component:
    return rx.el.div(
        rx.el.span(role_name(row.role), class_name="text-quiet"),
        rx.el.button(
            t("Activate"),
            type="button",
            class_name="button",
            aria_label=t("Activate {name}", name=row.name),
            on_click=StaffSettings.activate(row.id),
        ),
        class_name="settings-actions",
    )
