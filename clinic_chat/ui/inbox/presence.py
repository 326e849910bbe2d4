"""Presence: the colleagues on duty, and the connection status of a phone's list."""

import reflex as rx

from clinic_chat.ui.components.connection_badge import connection_bar
from clinic_chat.ui.components.texts import UNTRANSLATED, fresh
from clinic_chat.ui.components.theme import avatar
from clinic_chat.ui.i18n import t
from clinic_chat.ui.inbox.state import Colleague, Inbox


def presence() -> rx.Component:
    """Everyone in the clinic, online ones first, behind a bar with the number of those online."""
    return rx.el.footer(
        connection_bar(),
        rx.el.details(
            rx.el.summary(
                rx.icon("users-round", size=16),
                fresh(t("{n} online", n=Inbox.online_count)),
                rx.icon("chevron-up", size=16, class_name="presence-chevron"),
            ),
            rx.el.ul(rx.foreach(Inbox.staff, _colleague), class_name="presence-staff"),
        ),
        class_name="presence",
        custom_attrs={"data-testid": "presence", "data-online": Inbox.online_count},
    )


def _colleague(person: rx.Var[Colleague]) -> rx.Component:
    return rx.el.li(
        avatar(person.initials, person.hue, "s"),
        rx.el.span(
            person.name,
            rx.cond(person.is_me, t(" (you)"), ""),
            class_name="presence-staff-name",
            custom_attrs=UNTRANSLATED,
        ),
        fresh(rx.cond(person.online, t("online"), t("offline")), class_name="presence-staff-state"),
        key=person.id,
        custom_attrs={"data-user": person.id, "data-online": person.online},
    )
