"""The part of the own account screen for passkeys: which there are, adding and removing them."""

import reflex as rx

from clinic_chat.domain.accounts.passwords import PASSWORD_MAXIMUM
from clinic_chat.domain.validation import NAME_LIMIT
from clinic_chat.ui.account.state import Account
from clinic_chat.ui.components.texts import UNTRANSLATED
from clinic_chat.ui.components.times import LongDate, RelativeTime
from clinic_chat.ui.i18n import t
from clinic_chat.ui.i18n.error_texts import ADMINISTRATION, PASSKEYS, error_text, error_texts
from clinic_chat.ui.settings.layout import alert, done, field
from clinic_chat.ui.settings.own_account.state import OwnAccount, PasskeyRow


def _codes_of(codes: rx.Var[list[str]]) -> tuple[rx.Var[list[str]]]:
    return (codes,)


class AddPasskey(rx.Component):
    """The form of a new passkey; it is told of the recovery codes that came with one."""

    library = "$/public/live/sign_in/passkeys.js"
    tag = "AddPasskey"

    messages: rx.Var[dict[str, str]]
    longest_name: rx.Var[int]
    longest_password: rx.Var[int]
    on_added: rx.EventHandler[_codes_of]  # type: ignore[type-arg, valid-type]


def passkeys() -> rx.Component:
    """The person's passkeys, and the form for another one."""
    return rx.fragment(
        rx.el.p(
            t(
                "A passkey signs you in with your fingerprint, your face or the PIN of your "
                "device, without a password and a code."
            ),
            class_name="text-quiet",
        ),
        # Here and not at the top of the page, which may be out of sight.
        rx.match(
            OwnAccount.done,
            ("passkey", done(t("Your passkey is added."))),
            ("passkey_removed", done(t("Your passkey is removed."))),
            rx.fragment(),
        ),
        rx.cond(
            OwnAccount.passkeys.length() > 0,
            rx.fragment(
                rx.el.ul(rx.foreach(OwnAccount.passkeys, _passkey), class_name="settings-list"),
                rx.cond(
                    OwnAccount.factor_on,
                    rx.fragment(),
                    rx.el.p(
                        t("{n} recovery codes are left.", n=OwnAccount.codes_left),
                        class_name="text-quiet",
                    ),
                ),
            ),
            rx.fragment(),
        ),
        AddPasskey.create(
            messages=error_texts(PASSKEYS),
            longest_name=NAME_LIMIT,
            longest_password=PASSWORD_MAXIMUM,
            on_added=OwnAccount.passkey_added,
        ),
    )


def _passkey(row: rx.Var[PasskeyRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.strong(row.name, class_name="settings-browser", custom_attrs=UNTRANSLATED),
            rx.el.span(
                t("Made on "),
                LongDate.create(at=row.created_at),
                rx.el.span(" · " + row.domain, custom_attrs=UNTRANSLATED),
                class_name="text-quiet",
            ),
            rx.el.span(
                rx.cond(
                    row.last_used_at != "",
                    rx.fragment(t("Last used "), RelativeTime.create(at=row.last_used_at)),
                    t("Never used"),
                ),
                class_name="text-quiet",
            ),
            class_name="settings-list-text",
        ),
        rx.cond(
            OwnAccount.passkey_asked == row.id,
            rx.cond(OwnAccount.passkey_renamed, _rename(row), _remove(row)),
            _buttons(row),
        ),
        key=row.id,
        class_name="settings-list-item",
        custom_attrs={"data-passkey": row.id},
    )


def _buttons(row: rx.Var[PasskeyRow]) -> rx.Component:
    return rx.el.div(
        rx.el.button(
            t("Rename"),
            type="button",
            class_name="button",
            aria_label=t("Rename {name}", name=row.name),
            on_click=OwnAccount.ask_passkey(row.id, True),
        ),
        rx.el.button(
            t("Remove"),
            type="button",
            class_name="button",
            aria_label=t("Remove {name}", name=row.name),
            on_click=OwnAccount.ask_passkey(row.id, False),
        ),
        class_name="settings-actions",
    )


def _rename(row: rx.Var[PasskeyRow]) -> rx.Component:
    return rx.el.form(
        _error(),
        field(
            t("New name of the passkey"),
            "passkey-new-name",
            rx.el.input(
                id="passkey-new-name",
                name="name",
                default_value=row.name,
                required=True,
                auto_focus=True,
                auto_complete="off",
                max_length=NAME_LIMIT,
            ),
        ),
        _answers(
            rx.el.button(t("Save"), type="submit", class_name="button button-primary"),
        ),
        on_submit=OwnAccount.rename_passkey,
        class_name="settings-form settings-in-row",
    )


def _remove(row: rx.Var[PasskeyRow]) -> rx.Component:
    return rx.el.form(
        # Password managers learn whose it is.
        rx.el.input(type="hidden", name="username", value=Account.email, auto_complete="username"),
        rx.el.p(
            t(
                "{name} signs you in no more. Remove it from the device too, where its passkeys "
                "are kept.",
                name=row.name,
            )
        ),
        _error(),
        field(
            t("Your current password"),
            "passkey-removal",
            rx.el.input(
                id="passkey-removal",
                name="password",
                type="password",
                required=True,
                auto_focus=True,
                auto_complete="current-password",
                max_length=PASSWORD_MAXIMUM,
            ),
        ),
        _answers(
            rx.el.button(t("Remove"), type="submit", class_name="button button-danger"),
        ),
        on_submit=OwnAccount.remove_passkey,
        reset_on_submit=True,
        class_name="settings-form settings-in-row",
    )


def _error() -> rx.Component:
    """Why it was not done, where it was asked for."""
    return alert(rx.cond(OwnAccount.error != "", error_text(ADMINISTRATION, OwnAccount.error), ""))


def _answers(yes: rx.Component) -> rx.Component:
    return rx.el.div(
        yes,
        rx.el.button(
            t("Cancel"),
            type="button",
            class_name="button",
            on_click=OwnAccount.ask_passkey("", False),
        ),
        class_name="settings-actions",
    )
