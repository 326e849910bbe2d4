"""List pane: the clinic's conversations."""

import reflex as rx

from clinic_chat.ui.account.menu import account_menu
from clinic_chat.ui.account.state import Account
from clinic_chat.ui.components.bindings import browser_call, in_slices
from clinic_chat.ui.components.connection_badge import connection_badge
from clinic_chat.ui.components.controls import Boundary, SeenButton
from clinic_chat.ui.components.texts import UNTRANSLATED, fresh, inner_link
from clinic_chat.ui.components.theme import logo
from clinic_chat.ui.i18n import t
from clinic_chat.ui.inbox.browser import ConversationRows, SearchBox
from clinic_chat.ui.inbox.filters import filters
from clinic_chat.ui.inbox.presence import presence
from clinic_chat.ui.inbox.row import conversation_row
from clinic_chat.ui.inbox.state import Inbox

SKELETON_ROWS = 9


def conversation_list() -> rx.Component:
    """The clinic's name, the search box, the filters, the rows and the colleagues."""
    return rx.el.nav(
        rx.el.header(
            logo(),
            rx.el.div(
                rx.el.h1(rx.cond(Account.clinic_name, Account.clinic_name, "Clinic Chat")),
                connection_badge(),
                class_name="conversation-list-clinic",
            ),
            Boundary.create(account_menu()),
            class_name="conversation-list-header",
        ),
        rx.el.div(
            rx.icon("search", size=16, class_name="search-box-icon"),
            SearchBox.create(label=t("Search name or phone")),
            class_name="search-box",
        ),
        Boundary.create(filters()),
        Boundary.create(
            rx.cond(
                Inbox.refused != "",
                _no_conversations(),
                rx.cond(in_slices(Inbox.ready), _rows(), _skeleton()),
            ),
            whole=True,
        ),
        Boundary.create(presence()),
        class_name="conversation-list-pane",
        id="conversations",
        aria_label=t("Conversations"),
    )


def _rows() -> rx.Component:
    return ConversationRows.create(
        _news(),
        rx.cond(
            Inbox.conversations.length() > 0,
            rx.el.ul(
                rx.foreach(
                    Inbox.conversations,
                    lambda row: Boundary.create(
                        conversation_row(row=row), of=row, element="li", key=row.id
                    ),
                ),
                class_name="conversation-list-rows",
            ),
            _empty(),
        ),
        rx.cond(
            Inbox.cursor != "",
            SeenButton.create(
                rx.cond(Inbox.loading_more, t("Loading…"), t("Load more conversations")),
                class_name="load-more-button",
                cursor=Inbox.cursor,
                on_click=browser_call("inbox/views", "loadMore"),
                disabled=Inbox.loading_more,
            ),
            rx.fragment(),
        ),
    )


def _news() -> rx.Component:
    """The number of rows that wait while the order is held; read out once, however many come."""
    return rx.fragment(
        rx.cond(
            Inbox.news > 0,
            rx.el.button(
                fresh(t("{n} new", n=Inbox.news)),
                rx.icon("arrow-up", size=14, custom_attrs={"aria-hidden": "true"}),
                type="button",
                class_name="conversation-list-news",
                on_click=browser_call("inbox/rows", "showNews"),
                custom_attrs={"data-testid": "list-news"},
            ),
            rx.fragment(),
        ),
        rx.el.div(
            rx.cond(
                Inbox.news > 0, rx.el.span(t("New messages at the top of the list")), rx.fragment()
            ),
            role="status",
            class_name="sr-only",
        ),
    )


def _empty() -> rx.Component:
    return rx.cond(
        Inbox.search != "",
        rx.el.div(
            rx.icon("search-x", size=28),
            fresh(
                t("No patient found for “{text}”.", text=Inbox.search),
                custom_attrs=UNTRANSLATED,
            ),
            rx.el.p(t("Names and phone numbers are searched."), class_name="text-quiet"),
            rx.el.div(
                rx.el.button(
                    t("Clear search"),
                    type="button",
                    class_name="button",
                    on_click=browser_call("inbox/search_box", "clearSearch"),
                ),
                rx.cond(Inbox.is_filtered, _clear_filters(), rx.fragment()),
                class_name="empty-state-actions",
            ),
            class_name="empty-state",
        ),
        rx.cond(Inbox.is_filtered, _nothing_matches(), _nothing_yet()),
    )


def _nothing_matches() -> rx.Component:
    return rx.el.div(
        rx.icon("list-filter", size=28),
        rx.el.p(t("No conversations match these filters.")),
        _clear_filters(),
        class_name="empty-state",
    )


def _clear_filters() -> rx.Component:
    return rx.el.button(
        t("Clear filters"),
        type="button",
        class_name="button",
        on_click=browser_call("navigation/filters", "clear"),
        custom_attrs={"data-testid": "clear-filters"},
    )


def _nothing_yet() -> rx.Component:
    return rx.el.div(
        rx.icon("inbox", size=28),
        rx.el.p(t("No conversations yet.")),
        rx.el.p(t("New messages appear here automatically."), class_name="text-quiet"),
        class_name="empty-state",
    )


def _no_conversations() -> rx.Component:
    return rx.el.div(
        rx.icon("shield", size=28),
        rx.el.p(
            rx.cond(
                Account.is_restricted,
                t("Your clinic asks for a second step when you sign in. Set it up first."),
                t("Your role reads no conversations."),
            )
        ),
        inner_link(t("Settings"), to="/settings/account", class_name="button"),
        class_name="empty-state",
    )


def _skeleton() -> rx.Component:
    row = rx.el.div(
        rx.el.span(class_name="skeleton-block skeleton-circle"),
        rx.el.span(
            rx.el.span(class_name="skeleton-block skeleton-line"),
            rx.el.span(class_name="skeleton-block skeleton-line skeleton-line-short"),
        ),
        class_name="conversation-row-skeleton",
    )
    return rx.el.div(
        *[row] * SKELETON_ROWS,
        class_name="conversation-list-scroll skeleton",
        aria_busy=True,
        aria_label=t("Loading…"),
        role="status",
    )
