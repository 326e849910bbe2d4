"""The pane with the clinic's conversations."""

import reflex as rx

from clinic_chat.ui.account.menu import account_menu
from clinic_chat.ui.account.state import Account
from clinic_chat.ui.badge import connection_badge
from clinic_chat.ui.i18n import t
from clinic_chat.ui.inbox.filters import filters
from clinic_chat.ui.inbox.presence import presence
from clinic_chat.ui.inbox.row import conversation_row
from clinic_chat.ui.inbox.state import Inbox
from clinic_chat.ui.live import Boundary, SeenButton, in_slices
from clinic_chat.ui.theme import mark

SKELETON_ROWS = 9


def conversation_list() -> rx.Component:
    """The clinic, the search box and the rows."""
    return rx.el.nav(
        rx.el.header(
            mark(),
            rx.el.div(
                rx.el.h1(rx.cond(Account.clinic_name, Account.clinic_name, "Clinic Chat")),
                connection_badge(),
                class_name="clinic",
            ),
            Boundary.create(account_menu()),
            class_name="list-header",
        ),
        rx.el.div(
            rx.icon("search", size=16, class_name="search-icon"),
            rx.el.input(
                type="search",
                id="search",
                placeholder=t("Search name or phone"),
                aria_label=t("Search name or phone"),
                max_length=100,
                auto_complete="off",
                spell_check=False,
                on_change=Inbox.find.debounce(150),
            ),
            class_name="search",
        ),
        Boundary.create(filters()),
        Boundary.create(rx.cond(in_slices(Inbox.ready), _rows(), _skeleton()), whole=True),
        Boundary.create(presence()),
        class_name="list-pane",
        aria_label=t("Conversations"),
    )


def _rows() -> rx.Component:
    return rx.el.div(
        rx.cond(
            Inbox.conversations.length() > 0,
            rx.el.ul(
                rx.foreach(
                    Inbox.conversations,
                    lambda row: Boundary.create(
                        conversation_row(row=row), of=row, element="li", key=row.id
                    ),
                ),
                class_name="rows",
            ),
            _empty(),
        ),
        rx.cond(
            Inbox.cursor != "",
            SeenButton.create(
                rx.cond(Inbox.busy, t("Loading…"), t("Load more conversations")),
                class_name="more",
                cursor=Inbox.cursor,
                on_click=Inbox.load_more(Inbox.cursor),
                disabled=Inbox.busy,
            ),
            rx.fragment(),
        ),
        class_name="rows-scroll",
        custom_attrs={"data-testid": "conversation-list", "data-scrolls": "true"},
    )


def _empty() -> rx.Component:
    return rx.cond(
        Inbox.search != "",
        rx.el.div(
            rx.icon("search-x", size=28),
            rx.el.p(t("No patient found for “{text}”.", text=Inbox.search)),
            class_name="empty",
        ),
        rx.cond(Inbox.is_filtered, _nothing_matches(), _nothing_yet()),
    )


def _nothing_matches() -> rx.Component:
    return rx.el.div(
        rx.icon("list-filter", size=28),
        rx.el.p(t("No conversations match these filters.")),
        class_name="empty",
    )


def _nothing_yet() -> rx.Component:
    return rx.el.div(
        rx.icon("inbox", size=28),
        rx.el.p(t("No conversations yet.")),
        rx.el.p(t("New messages appear here automatically."), class_name="quiet"),
        class_name="empty",
    )


def _skeleton() -> rx.Component:
    row = rx.el.div(
        rx.el.span(class_name="bone bone-circle"),
        rx.el.span(
            rx.el.span(class_name="bone bone-line"),
            rx.el.span(class_name="bone bone-line bone-short"),
        ),
        class_name="row-skeleton",
    )
    return rx.el.div(
        *[row] * SKELETON_ROWS,
        class_name="rows-scroll skeleton",
        aria_busy=True,
        aria_label=t("Loading…"),
        role="status",
    )
