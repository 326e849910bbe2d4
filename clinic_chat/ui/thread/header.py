"""Thread header: the open conversation's patient, viewers and actions."""

import reflex as rx

from clinic_chat.domain.conversations.conversation import Status
from clinic_chat.ui.components.bindings import browser_call
from clinic_chat.ui.components.menus import item, menu, separator
from clinic_chat.ui.components.texts import UNTRANSLATED, fresh, inner_link
from clinic_chat.ui.components.theme import avatar
from clinic_chat.ui.i18n import t
from clinic_chat.ui.inbox.row import status_badge, status_name
from clinic_chat.ui.inbox.state import Colleague, Inbox
from clinic_chat.ui.thread.state import Thread


def thread_header() -> rx.Component:
    """The patient, the viewers, and the menus for assignee and status."""
    conversation = Thread.conversation
    return rx.el.header(
        back_link(),
        avatar(conversation.initials, conversation.hue),
        rx.el.div(
            rx.el.h2(fresh(conversation.patient_name), custom_attrs=UNTRANSLATED),
            rx.cond(
                Thread.viewer_count > 0,
                _viewers(),
                # A patient without a name has the number in its place already.
                rx.cond(
                    conversation.patient_phone_shown != conversation.patient_name,
                    fresh(
                        conversation.patient_phone_shown,
                        class_name="text-quiet",
                        custom_attrs=UNTRANSLATED,
                    ),
                    rx.fragment(),
                ),
            ),
            class_name="thread-header-title",
        ),
        _assignee_menu(),
        _status_menu(),
        rx.el.button(
            rx.icon("panel-right", size=18),
            type="button",
            class_name="icon-button thread-header-patient-toggle",
            aria_label=t("Patient details"),
            aria_haspopup="dialog",
            title=t("Patient details"),
            on_click=browser_call("components/drawer", "openDrawer"),
        ),
        class_name="thread-header",
        # Created anew for each conversation: what a page translator wrote into the one before
        # must not stay above this one.
        key=conversation.id,
    )


def back_link() -> rx.Component:
    """A link from a conversation to the list, for screens with room for only one of them."""
    return inner_link(
        rx.icon("arrow-left", size=20),
        to="/" + Inbox.filter_query,
        class_name="icon-button thread-header-back",
        custom_attrs={"aria-label": t("Back to conversations")},
    )


def _viewers() -> rx.Component:
    return rx.el.span(
        rx.icon("eye", size=14, custom_attrs={"aria-hidden": "true"}),
        fresh(
            rx.match(
                Thread.viewer_count,
                (1, t("{name} is viewing", name=Thread.viewer_first)),
                (
                    2,
                    t(
                        "{first} and {second} are viewing",
                        first=Thread.viewer_first,
                        second=Thread.viewer_second,
                    ),
                ),
                t("{n} colleagues are viewing", n=Thread.viewer_count),
            )
        ),
        class_name="thread-header-viewers",
        role="status",
        custom_attrs={"data-testid": "viewers"},
    )


def _assignee_menu() -> rx.Component:
    conversation = Thread.conversation
    assigned = conversation.assignee_id != ""
    whose = rx.cond(
        conversation.assigned_to_me,
        t("You"),
        rx.cond(assigned, conversation.assignee_name, t("Unassigned")),
    )
    return menu(
        rx.el.button(
            rx.icon("user-round", size=16),
            fresh(whose, class_name="thread-header-button-text", custom_attrs=UNTRANSLATED),
            type="button",
            class_name="thread-header-button",
            custom_attrs={
                "data-testid": "assignee",
                "data-assignee": conversation.assignee_id,
                "aria-label": t("Assigned to: {name}", name=whose),
                "data-assigned": assigned,
            },
        ),
        rx.cond(
            conversation.assigned_to_me,
            rx.fragment(),
            item(
                rx.icon("hand", size=16),
                t("Assign to me"),
                on_select=browser_call(
                    "thread/actions", "assignToMe", conversation.id, conversation.assignee_id
                ),
            ),
        ),
        rx.foreach(Inbox.staff, _assign_to),
        rx.cond(
            assigned,
            rx.fragment(
                separator(),
                item(
                    rx.icon("user-round-x", size=16),
                    t("Unassign"),
                    on_select=browser_call(
                        "thread/actions", "assign", conversation.id, "", conversation.assignee_id
                    ),
                ),
            ),
            rx.fragment(),
        ),
    )


def _assign_to(person: rx.Var[Colleague]) -> rx.Component:
    conversation = Thread.conversation
    return rx.cond(
        person.is_me | (person.id == conversation.assignee_id),
        rx.fragment(),
        item(
            avatar(person.initials, person.hue, "s"),
            rx.el.span(person.name, custom_attrs=UNTRANSLATED),
            on_select=browser_call(
                "thread/actions", "assign", conversation.id, person.id, conversation.assignee_id
            ),
        ),
    )


def _status_menu() -> rx.Component:
    conversation = Thread.conversation
    return menu(
        rx.el.button(
            status_badge(conversation.status),
            rx.icon("chevron-down", size=14, class_name="thread-header-button-arrow"),
            type="button",
            class_name="thread-header-button",
            custom_attrs={
                "data-testid": "status",
                "data-status": conversation.status,
                "aria-label": t("Status: {name}", name=status_name(conversation.status)),
            },
        ),
        _status_item(Status.OPEN, "circle-dot", t("Open")),
        _status_item(Status.PENDING, "clock", t("Pending")),
        _status_item(Status.RESOLVED, "circle-check", t("Resolved")),
        separator(),
        item(
            rx.icon("mail", size=16),
            t("Mark as unread"),
            on_select=browser_call("thread/actions", "markUnread", conversation.id),
        ),
    )


def _status_item(status: Status, icon: str, name: rx.Var[str]) -> rx.Component:
    return item(
        rx.icon(icon, size=16),
        name,
        on_select=browser_call("thread/actions", "setStatus", Thread.conversation.id, status.value),
        disabled=Thread.conversation.status == status.value,
    )
