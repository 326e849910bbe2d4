"""A webhook in the list: its state, its last result, and what can be done."""

import reflex as rx
from reflex.event import EventSpec

from clinic_chat.domain.webhooks.webhook import WebhookState
from clinic_chat.ui.components.texts import UNTRANSLATED
from clinic_chat.ui.components.times import RelativeTime
from clinic_chat.ui.i18n import t
from clinic_chat.ui.i18n.error_texts import WEBHOOK_ATTEMPT, error_text
from clinic_chat.ui.settings.layout import done, question
from clinic_chat.ui.settings.webhooks.deliveries import recent_deliveries, status_of
from clinic_chat.ui.settings.webhooks.state import WebhookRow, WebhookSettings


def webhook_row(row: rx.Var[WebhookRow]) -> rx.Component:
    """A webhook."""
    return rx.el.li(
        rx.el.div(
            rx.el.strong(_name(row), custom_attrs=UNTRANSLATED),
            rx.cond(
                row.description != "",
                rx.el.span(row.url, class_name="text-quiet", custom_attrs=UNTRANSLATED),
                rx.fragment(),
            ),
            rx.el.span(
                rx.foreach(
                    row.event_types, lambda one: rx.el.span(one, class_name="settings-part")
                ),
                class_name="text-quiet",
                custom_attrs=UNTRANSLATED,
            ),
            rx.el.span(_state(row), custom_attrs={"data-state": row.state}),
            rx.el.span(_last_result(row), class_name="text-quiet"),
            rx.cond(
                row.pending > 0,
                rx.el.span(t("{n} events wait.", n=row.pending), class_name="text-quiet"),
                rx.fragment(),
            ),
            done(rx.cond(WebhookSettings.acted_on == row.id, _outcome(), "")),
            class_name="settings-list-text",
        ),
        rx.cond(
            WebhookSettings.asked == "delete " + row.id,
            question(
                t("What waits for it is deleted too."),
                t("Delete"),
                WebhookSettings.delete(row.id),
                WebhookSettings.ask(""),
            ),
            rx.cond(
                WebhookSettings.asked == "rotate " + row.id,
                question(
                    t("Events are signed with both secrets for 24 hours."),
                    t("Make a secret"),
                    WebhookSettings.rotate(row.id),
                    WebhookSettings.ask(""),
                ),
                _acts(row),
            ),
        ),
        rx.cond(WebhookSettings.opened == row.id, recent_deliveries(), rx.fragment()),
        key=row.id,
        class_name="settings-list-item",
        custom_attrs={"data-webhook": row.id},
    )


def _name(row: rx.Var[WebhookRow]) -> rx.Var[str]:
    return rx.cond(row.description != "", row.description, row.url)


def _state(row: rx.Var[WebhookRow]) -> rx.Var[str]:
    return rx.match(
        row.state,
        (WebhookState.ENABLED.value, t("Enabled")),
        (WebhookState.DISABLED.value, t("Disabled")),
        (WebhookState.GONE.value, t("Disabled: the receiver says that it is gone.")),
        (WebhookState.FAILING.value, t("Disabled: nothing was taken for five days.")),
        (WebhookState.OVERFULL.value, t("Disabled: too many events waited.")),
        row.state,
    )


def _last_result(row: rx.Var[WebhookRow]) -> rx.Component:
    return rx.cond(
        row.last_attempt_at == "",
        t("Nothing was sent yet."),
        rx.fragment(
            rx.cond(
                row.last_error == "",
                t("The last event was taken, "),
                rx.fragment(
                    error_text(WEBHOOK_ATTEMPT, row.last_error), status_of(row.last_status), " "
                ),
            ),
            RelativeTime.create(at=row.last_attempt_at),
        ),
    )


def _outcome() -> rx.Var[str]:
    return rx.match(
        WebhookSettings.done,
        ("taken", t("The test event was taken.")),
        ("refused", error_text(WEBHOOK_ATTEMPT, WebhookSettings.test_error)),
        (
            "replayed",
            rx.cond(
                WebhookSettings.replayed > 0,
                t("{n} events are sent again.", n=WebhookSettings.replayed),
                t("Nothing is parked."),
            ),
        ),
        ("changed", t("Saved.")),
        "",
    )


def _acts(row: rx.Var[WebhookRow]) -> rx.Component:
    is_enabled = row.state == WebhookState.ENABLED.value
    is_open = WebhookSettings.opened == row.id
    return rx.el.div(
        _button(
            t("Send a test event"),
            t("Send a test event to {name}", name=_name(row)),
            WebhookSettings.send_test(row.id),
        ),
        _button(
            rx.cond(is_open, t("Hide deliveries"), t("Recent deliveries")),
            rx.cond(
                is_open,
                t("Hide deliveries of {name}", name=_name(row)),
                t("Recent deliveries of {name}", name=_name(row)),
            ),
            WebhookSettings.open(rx.cond(is_open, "", row.id)),
        ),
        _button(
            t("Replay parked events"),
            t("Replay parked events of {name}", name=_name(row)),
            WebhookSettings.replay(row.id),
        ),
        _button(
            t("New secret"),
            t("New secret of {name}", name=_name(row)),
            WebhookSettings.ask("rotate " + row.id),
        ),
        _button(
            rx.cond(is_enabled, t("Disable"), t("Enable")),
            rx.cond(
                is_enabled,
                t("Disable {name}", name=_name(row)),
                t("Enable {name}", name=_name(row)),
            ),
            WebhookSettings.set_enabled(row.id, ~is_enabled),
        ),
        _button(
            t("Delete"),
            t("Delete {name}", name=_name(row)),
            WebhookSettings.ask("delete " + row.id),
        ),
        class_name="settings-actions",
    )


def _button(text: rx.Var[str], label: rx.Var[str], act: EventSpec) -> rx.Component:
    return rx.el.button(text, type="button", class_name="button", aria_label=label, on_click=act)
