"""Filters of the conversation list."""

import reflex as rx

from clinic_chat.domain.conversations.conversation import Status
from clinic_chat.domain.queries.filters import AssigneeFilter
from clinic_chat.ui.components.bindings import browser_call, browser_handler
from clinic_chat.ui.components.texts import CompactCount
from clinic_chat.ui.i18n import t
from clinic_chat.ui.inbox.state import Inbox


def filters() -> rx.Component:
    """The filters by assignee and status, and for unread conversations."""
    return rx.el.div(
        rx.el.div(
            _who(AssigneeFilter.ALL, t("All"), Inbox.count_all),
            _who(AssigneeFilter.MINE, t("Mine"), Inbox.count_mine),
            _who(AssigneeFilter.UNASSIGNED, t("Unclaimed"), Inbox.count_unassigned),
            class_name="filter-segments",
            role="group",
            aria_label=t("Whose conversations"),
        ),
        rx.el.div(
            _status(),
            rx.el.button(
                t("Unread"),
                _count(Inbox.count_unread),
                type="button",
                class_name="filter-chip",
                on_click=browser_call("navigation/filters", "toggleUnread"),
                custom_attrs={"aria-pressed": Inbox.unread, "data-testid": "filter-unread"},
            ),
            class_name="filter-chips",
        ),
        class_name="filter-bar",
    )


def _who(who: AssigneeFilter, name: rx.Var[str], count: rx.Var[int]) -> rx.Component:
    return rx.el.button(
        name,
        _count(count),
        type="button",
        class_name="filter-segment",
        on_click=browser_call("navigation/filters", "chooseWho", who.value),
        custom_attrs={
            "aria-pressed": Inbox.who == who.value,
            "data-testid": f"filter-{who.value}",
        },
    )


def _count(count: rx.Var[int]) -> rx.Component:
    return rx.el.span(
        CompactCount.create(number=count),
        # Created anew, because page translators replace text that React would go on changing.
        key=count.to_string(),
        class_name="filter-count",
        custom_attrs={"data-testid": "filter-count"},
    )


def _status() -> rx.Component:
    names = {Status.OPEN: t("Open"), Status.PENDING: t("Pending"), Status.RESOLVED: t("Resolved")}
    return rx.el.select(
        rx.el.option(t("Any status"), value=""),
        *[rx.el.option(name, value=status.value) for status, name in names.items()],
        value=Inbox.status,
        on_change=browser_handler("navigation/filters", "chooseStatus"),
        class_name="filter-chip",
        aria_label=t("Status"),
        custom_attrs={"data-testid": "filter-status", "data-chosen": Inbox.status != ""},
    )
