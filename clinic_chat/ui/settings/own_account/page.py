"""Own account screen: name, password, and the browsers one is signed in at."""

import reflex as rx

from clinic_chat.domain.accounts.passwords import PASSWORD_MAXIMUM, PASSWORD_MINIMUM
from clinic_chat.ui.account.state import Account
from clinic_chat.ui.components.bindings import browser_call
from clinic_chat.ui.components.texts import UNTRANSLATED
from clinic_chat.ui.components.times import RelativeTime
from clinic_chat.ui.i18n import t
from clinic_chat.ui.i18n.error_texts import ADMINISTRATION, error_text
from clinic_chat.ui.settings.layout import alert, done, field, section, settings_page
from clinic_chat.ui.settings.own_account.passkeys import passkeys
from clinic_chat.ui.settings.own_account.state import BrowserRow, OwnAccount

ROUTE = "/settings/account"
ON_LOAD = [Account.load, OwnAccount.load]
NAME_LIMIT = 120


def own_account_page() -> rx.Component:
    """What a person may change of their own."""
    return settings_page(
        ROUTE,
        t("My account"),
        alert(
            rx.cond(
                (OwnAccount.error != "") & (OwnAccount.passkey_asked == ""),
                error_text(ADMINISTRATION, OwnAccount.error),
                "",
            )
        ),
        done(
            rx.match(
                OwnAccount.done,
                ("name", t("Your name is changed.")),
                ("factor", t("From now on a code of your app is asked for when you sign in.")),
                ("password", t("Your password is changed. Other browsers are signed out.")),
                "",
            )
        ),
        rx.cond(
            Account.by_provider,
            rx.el.p(
                t(
                    "You signed in with your clinic’s account, which counts in this clinic alone. "
                    "To change your name, your password or your second step, or to open another "
                    "clinic, sign in with your password."
                ),
                class_name="settings-section",
            ),
            rx.fragment(
                section(t("Name"), _name()),
                section(t("Password"), _password()),
                section(t("Second step"), _factor()),
                section(
                    t("Passkeys"),
                    rx.cond(OwnAccount.codes_of_passkey, _recovery_codes(), rx.fragment()),
                    passkeys(),
                ),
            ),
        ),
        section(t("Where you are signed in"), _browsers()),
    )


def _name() -> rx.Component:
    return rx.el.form(
        field(
            t("Name as colleagues see it"),
            "name",
            rx.el.input(
                id="name",
                name="name",
                key=Account.user_name,
                default_value=Account.user_name,
                required=True,
                max_length=NAME_LIMIT,
                auto_complete="name",
            ),
        ),
        rx.el.button(t("Save"), type="submit", class_name="button button-primary"),
        on_submit=OwnAccount.save_name,
        class_name="settings-form settings-form-row",
    )


def _password() -> rx.Component:
    return rx.el.form(
        # Password managers learn whose it is.
        rx.el.input(type="hidden", name="username", value=Account.email, auto_complete="username"),
        field(
            t("Current password"),
            "old",
            _secret("old", auto_complete="current-password"),
        ),
        field(
            t("New password"),
            "new",
            _secret("new", auto_complete="new-password", min_length=PASSWORD_MINIMUM),
        ),
        rx.el.p(
            t(
                "At least {n} characters; several words are easy to remember.",
                n=PASSWORD_MINIMUM,
            ),
            class_name="text-quiet",
        ),
        rx.el.button(t("Change password"), type="submit", class_name="button button-primary"),
        on_submit=OwnAccount.save_password,
        reset_on_submit=True,
        class_name="settings-form",
    )


def _factor() -> rx.Component:
    return rx.fragment(
        rx.cond(OwnAccount.codes_of_passkey, rx.fragment(), _recovery_codes()),
        rx.cond(
            OwnAccount.factor_on,
            _factor_on(),
            rx.cond(OwnAccount.secret != "", _first_code(), _factor_off()),
        ),
    )


def _factor_off() -> rx.Component:
    return rx.fragment(
        rx.cond(
            Account.is_restricted,
            rx.el.p(t("Your clinic asks for it before you can read conversations.")),
            rx.fragment(),
        ),
        rx.el.p(
            t("An app on your phone makes a code that is asked for after your password."),
            class_name="text-quiet",
        ),
        rx.el.button(
            t("Set up"),
            type="button",
            class_name="button button-primary settings-alone",
            on_click=OwnAccount.begin_factor,
        ),
    )


def _first_code() -> rx.Component:
    return rx.fragment(
        rx.el.p(t("Read this picture with your app, or type the text below it.")),
        rx.el.img(
            src=OwnAccount.picture,
            alt=t("QR code for your app"),
            class_name="settings-picture",
        ),
        rx.el.code(
            OwnAccount.secret,
            class_name="settings-code",
            custom_attrs={**UNTRANSLATED, "data-testid": "factor-secret"},
        ),
        _code_form(t("Code that the app shows"), t("Turn on"), OwnAccount.confirm_factor),
    )


def _factor_on() -> rx.Component:
    return rx.fragment(
        rx.el.p(t("It is on. {n} recovery codes are left.", n=OwnAccount.codes_left)),
        _code_form(
            t("Code of your app, or a recovery code"), t("Turn off"), OwnAccount.remove_factor
        ),
    )


def _recovery_codes() -> rx.Component:
    return rx.cond(OwnAccount.new_codes.length() > 0, _codes(), rx.fragment())


def _codes() -> rx.Component:
    return rx.el.div(
        rx.el.p(
            t("Keep these recovery codes where only you find them: each signs you in once."),
            role="status",
        ),
        rx.el.ul(
            rx.foreach(OwnAccount.new_codes, lambda code: rx.el.li(rx.el.code(code), key=code)),
            class_name="settings-codes",
            custom_attrs={**UNTRANSLATED, "data-testid": "recovery-codes"},
        ),
        rx.el.button(
            t("Go to the conversations"),
            type="button",
            class_name="button settings-alone",
            on_click=browser_call("navigation/router", "loadPage", "/"),
        ),
        class_name="settings-new-link",
    )


def _code_form(label: rx.Var[str], name: rx.Var[str], on_submit: object) -> rx.Component:
    return rx.el.form(
        field(
            label,
            "code",
            rx.el.input(
                id="code",
                name="code",
                auto_complete="one-time-code",
                required=True,
                max_length=40,
            ),
        ),
        rx.el.button(name, type="submit", class_name="button"),
        on_submit=on_submit,
        reset_on_submit=True,
        class_name="settings-form settings-form-row",
    )


def _secret(name: str, **props: object) -> rx.Component:
    return rx.el.input(
        id=name, name=name, type="password", required=True, max_length=PASSWORD_MAXIMUM, **props
    )


def _browsers() -> rx.Component:
    return rx.fragment(
        rx.el.ul(rx.foreach(OwnAccount.browsers, _browser), class_name="settings-list"),
        rx.cond(
            OwnAccount.browsers.length() > 1,
            rx.el.div(
                rx.el.button(
                    t("Sign out of all others"),
                    type="button",
                    class_name="button",
                    on_click=OwnAccount.end_others,
                ),
                class_name="settings-actions",
            ),
            rx.fragment(),
        ),
    )


def _browser(row: rx.Var[BrowserRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.strong(
                rx.cond(row.browser != "", row.browser, t("Unknown browser")),
                class_name="settings-browser",
                custom_attrs=UNTRANSLATED,
            ),
            rx.el.span(
                row.clinic,
                rx.cond(row.address != "", " · " + row.address, ""),
                class_name="text-quiet",
                custom_attrs=UNTRANSLATED,
            ),
            rx.el.span(
                rx.cond(
                    row.is_this,
                    t("This browser"),
                    rx.fragment(t("Active "), RelativeTime.create(at=row.seen_at)),
                ),
                class_name="text-quiet",
            ),
            class_name="settings-list-text",
        ),
        rx.cond(
            row.is_this,
            rx.fragment(),
            rx.el.button(
                t("Sign out there"),
                type="button",
                class_name="button",
                on_click=OwnAccount.end(row.id),
            ),
        ),
        key=row.id,
        class_name="settings-list-item",
        custom_attrs={"data-session": row.id},
    )
