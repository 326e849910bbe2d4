"""API tokens screen: which programs act for the clinic, and what they may do."""

import reflex as rx

from clinic_chat.domain.accounts.api_tokens import CHANNEL_PERMISSIONS
from clinic_chat.domain.accounts.permissions import Permission
from clinic_chat.ui.account.state import Account
from clinic_chat.ui.components.controls import CopyButton
from clinic_chat.ui.components.texts import UNTRANSLATED
from clinic_chat.ui.components.times import LongDate, RelativeTime
from clinic_chat.ui.i18n import t
from clinic_chat.ui.i18n.error_texts import ADMINISTRATION, error_text
from clinic_chat.ui.settings.layout import alert, field, question, section, settings_page
from clinic_chat.ui.settings.tokens.state import TokenRow, TokenSettings

ROUTE = "/settings/tokens"
TERMS = (30, 90, 365)
ON_LOAD = [Account.load, TokenSettings.load]


def tokens_page() -> rx.Component:
    """A new token, and those that there are."""
    return settings_page(
        ROUTE,
        t("API tokens"),
        alert(
            rx.cond(TokenSettings.error != "", error_text(ADMINISTRATION, TokenSettings.error), "")
        ),
        section(
            t("New token"),
            _form(),
            rx.cond(TokenSettings.new_token != "", _new_token(), rx.fragment()),
        ),
        section(
            t("Tokens"),
            rx.cond(
                TokenSettings.tokens.length() > 0,
                rx.el.ul(rx.foreach(TokenSettings.tokens, _token), class_name="settings-list"),
                rx.el.p(
                    rx.cond(TokenSettings.ready, t("There is none yet."), t("Loading…")),
                    class_name="text-quiet",
                ),
            ),
        ),
    )


def permission_name(permission: rx.Var[str]) -> rx.Var[str]:
    """What a token may do, as people read it."""
    names = ((one.value, name) for one, name in _permission_names().items())
    return rx.match(permission, *names, permission)


def _permission_names() -> dict[Permission, rx.Var[str]]:
    return {
        Permission.DELIVER_MESSAGES: t("Deliver patients' messages"),
        Permission.REPORT_DELIVERY: t("Report what became of answers"),
        Permission.READ_CONVERSATIONS: t("Read conversations"),
        Permission.CHANGE_CONVERSATIONS: t("Assign and resolve conversations"),
        Permission.SEND_MESSAGES: t("Answer patients"),
        Permission.READ_PATIENTS: t("Read patients' data"),
        Permission.CHANGE_PATIENTS: t("Change patients' data"),
        Permission.READ_STAFF: t("See colleagues and who is there"),
        Permission.MANAGE_WEBHOOKS: t("Manage webhooks"),
    }


def _form() -> rx.Component:
    return rx.el.form(
        field(
            t("Name of the program"),
            "name",
            rx.el.input(id="name", name="name", required=True, max_length=120),
        ),
        rx.el.fieldset(
            rx.el.legend(t("What it may do")),
            *[
                rx.el.label(
                    rx.el.input(
                        type="checkbox",
                        name=permission.value,
                        default_checked=permission.value in CHANNEL_PERMISSIONS,
                    ),
                    name,
                    class_name="settings-check",
                )
                for permission, name in _permission_names().items()
            ],
            class_name="settings-fieldset",
        ),
        field(
            t("Valid for"),
            "days",
            rx.el.select(
                rx.el.option(t("For ever"), value=""),
                *[rx.el.option(t("{n} days", n=days), value=str(days)) for days in TERMS],
                id="days",
                name="days",
            ),
        ),
        rx.el.label(
            rx.el.input(type="checkbox", name="for_oneself"),
            t("The program acts as me, with no more than my role"),
            class_name="settings-check",
        ),
        rx.el.button(t("Make a token"), type="submit", class_name="button button-primary"),
        on_submit=TokenSettings.create,
        reset_on_submit=True,
        class_name="settings-form",
    )


def _new_token() -> rx.Component:
    return rx.el.div(
        rx.el.p(t("Copy the token now: it is not shown again."), role="status"),
        rx.el.code(
            TokenSettings.new_token,
            class_name="settings-code",
            custom_attrs={**UNTRANSLATED, "data-testid": "new-token"},
        ),
        rx.el.div(
            CopyButton.create(text=TokenSettings.new_token, label=t("Copy the token")),
            rx.el.button(
                t("Done"), type="button", class_name="button", on_click=TokenSettings.close_token
            ),
            class_name="settings-actions",
        ),
        class_name="settings-new-link",
    )


def _token(row: rx.Var[TokenRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.strong(
                rx.cond(row.name != "", row.name, t("Without a name")), custom_attrs=UNTRANSLATED
            ),
            rx.cond(
                row.expires_at != "",
                rx.el.span(
                    t("Valid until "), LongDate.create(at=row.expires_at), class_name="text-quiet"
                ),
                rx.fragment(),
            ),
            rx.cond(
                row.person != "",
                rx.el.span(t("Acts as {name}", name=row.person), class_name="text-quiet"),
                rx.fragment(),
            ),
            rx.el.span(
                rx.foreach(
                    row.permissions,
                    lambda one: rx.el.span(permission_name(one), class_name="settings-part"),
                ),
                class_name="text-quiet",
            ),
            rx.el.span(
                rx.cond(
                    row.revoked_at != "",
                    t("Revoked"),
                    rx.cond(
                        row.last_used_at != "",
                        rx.fragment(t("Last used "), RelativeTime.create(at=row.last_used_at)),
                        rx.fragment(t("Never used, made on "), LongDate.create(at=row.created_at)),
                    ),
                ),
                class_name="text-quiet",
            ),
            class_name="settings-list-text",
        ),
        rx.cond(row.revoked_at != "", rx.fragment(), _revoke(row)),
        key=row.id,
        class_name="settings-list-item",
        custom_attrs={"data-token": row.id},
    )


def _revoke(row: rx.Var[TokenRow]) -> rx.Component:
    return rx.cond(
        TokenSettings.asked == row.id,
        question(
            t("Programs with this token stop at once."),
            t("Revoke"),
            TokenSettings.revoke(row.id),
            TokenSettings.ask(""),
        ),
        rx.el.button(
            t("Revoke"),
            type="button",
            class_name="button",
            aria_label=t("Revoke {name}", name=row.name),
            on_click=TokenSettings.ask(row.id),
        ),
    )
