"""Sign-in page: a plain form, so that it works before anything is connected."""

import reflex as rx

from clinic_chat.domain.accounts.passwords import PASSWORD_MAXIMUM
from clinic_chat.domain.accounts.users import LOCALES
from clinic_chat.ui.account.menu import LOCALE_NAMES
from clinic_chat.ui.components.bindings import browser_call, browser_handler, browser_value
from clinic_chat.ui.components.plain_form import plain_form
from clinic_chat.ui.components.theme import logo
from clinic_chat.ui.i18n import t
from clinic_chat.ui.i18n.error_texts import PASSKEYS, SIGN_IN, error_texts

ROUTE = "/login"


class SignInQuery(rx.Component):
    """Reads the address: the error of the last attempt, and the page to open afterwards."""

    library = "$/public/live/sign_in/sign_in.js"
    tag = "SignInQuery"

    messages: rx.Var[dict[str, str]]
    passkey_messages: rx.Var[dict[str, str]]


class PasskeySignIn(rx.Component):
    """The button that signs in with a passkey; its children are what stands on it."""

    library = "$/public/live/sign_in/passkeys.js"
    tag = "PasskeySignIn"

    step: rx.Var[str]
    """The step of the page that it stands on, "" for the first."""


def sign_in_page() -> rx.Component:
    """The form with email and password, and the choice of language."""
    return rx.el.main(
        rx.el.div(
            rx.el.div(logo(), rx.el.h1("Clinic Chat"), class_name="sign-in-brand"),
            rx.el.p(t("Sign in to your clinic’s inbox"), class_name="text-quiet"),
            rx.match(
                _step(),
                ("sso", _clinic()),
                ("code", _code(t("Code of your app, or a recovery code"))),
                ("passkey", _passkey_or_recovery_code()),
                ("either", _code_or_passkey()),
                _password_or_passkey(),
            ),
            class_name="sign-in-card",
        ),
        rx.el.div(
            *[
                rx.el.button(
                    LOCALE_NAMES[locale],
                    type="button",
                    lang=locale,
                    class_name="link-button",
                    on_click=browser_call("sign_in/sign_in", "chooseLocale", locale),
                )
                for locale in LOCALES
            ],
            class_name="sign-in-languages",
        ),
        class_name="sign-in",
    )


def _step() -> rx.Var[str]:
    return browser_value("sign_in/sign_in", "step", "valueOf()")


def _clinic() -> rx.Component:
    return rx.fragment(
        _clinic_form(),
        rx.el.p(
            t("Ask whoever manages your clinic’s accounts for its short name."),
            id="sign-in-help",
            class_name="sign-in-help text-quiet",
        ),
    )


def _clinic_form() -> rx.Component:
    """A form that a browser module sends: the policy lets a form lead nowhere else."""
    return plain_form(
        _query(),
        rx.el.label(t("Short name of your clinic"), html_for="clinic"),
        rx.el.input(
            id="clinic",
            name="clinic",
            auto_complete="organization",
            auto_capitalize="none",
            spell_check=False,
            required=True,
            auto_focus=True,
            max_length=40,
            custom_attrs={"aria-describedby": "sign-in-help"},
        ),
        rx.el.button(t("Continue"), type="submit", class_name="button button-primary"),
        rx.el.a(
            t("Sign in with a password"),
            href=ROUTE,
            class_name="link-button",
            on_click=browser_handler("sign_in/sign_in", "loadStep"),
        ),
        method="get",
        action="/auth/sso/start",
        key="clinic",
        class_name="sign-in-form",
    )


def _password_or_passkey() -> rx.Component:
    return rx.fragment(
        _credentials(),
        rx.el.p(
            t("Forgot your password? Ask whoever manages your clinic’s accounts."),
            class_name="sign-in-help text-quiet",
        ),
        # Last, so that nothing moves where it has to disappear.
        _passkey("", t("Sign in with a passkey"), class_name="button"),
    )


def _passkey_or_recovery_code() -> rx.Component:
    return rx.fragment(
        _passkey("passkey", t("Use your passkey"), class_name="button button-primary"),
        _code(t("Or a recovery code"), is_first=False),
    )


def _code_or_passkey() -> rx.Component:
    return rx.fragment(
        _code(t("Code of your app, or a recovery code")),
        _passkey("either", t("Use a passkey instead"), class_name="button"),
    )


def _passkey(step: str, label: rx.Var[str], **look: str) -> rx.Component:
    return PasskeySignIn.create(
        rx.icon("key-round", size=18),
        label,
        step=step,
        **look,
    )


def _query() -> rx.Component:
    return SignInQuery.create(messages=error_texts(SIGN_IN), passkey_messages=error_texts(PASSKEYS))


def _code(label: rx.Var[str], *, is_first: bool = True) -> rx.Component:
    return plain_form(
        _query(),
        rx.el.label(label, html_for="code"),
        rx.el.input(
            id="code",
            name="code",
            auto_complete="one-time-code",
            auto_capitalize="none",
            spell_check=False,
            required=True,
            auto_focus=is_first,
            max_length=40,
        ),
        rx.el.button(t("Sign in"), type="submit", class_name="button button-primary")
        if is_first
        else rx.el.button(t("Sign in"), type="submit", class_name="button"),
        rx.el.a(
            t("Begin again"),
            href=ROUTE,
            class_name="link-button",
            on_click=browser_handler("sign_in/sign_in", "loadStep"),
        ),
        key="code",
        method="post",
        action="/auth/code",
        class_name="sign-in-form",
    )


def _credentials() -> rx.Component:
    return plain_form(
        _query(),
        rx.el.label(t("Email"), html_for="email"),
        rx.el.input(
            id="email",
            name="email",
            type="email",
            # With the second word browsers offer passkeys where the address is filled in.
            auto_complete="username webauthn",
            required=True,
            auto_focus=True,
            max_length=254,
        ),
        rx.el.label(t("Password"), html_for="password"),
        _password(),
        rx.el.button(t("Sign in"), type="submit", class_name="button button-primary"),
        rx.el.a(
            t("Sign in with your clinic’s account"),
            href=f"{ROUTE}?step=sso",
            class_name="link-button",
            on_click=browser_handler("sign_in/sign_in", "loadStep"),
        ),
        method="post",
        action="/auth/login",
        key="credentials",
        class_name="sign-in-form",
    )


def _password() -> rx.Component:
    shown = browser_value("sign_in/sign_in", "passwordShown", "valueOf()", bool)
    return rx.el.div(
        rx.el.input(
            id="password",
            name="password",
            type=rx.cond(shown, "text", "password"),
            auto_complete="current-password",
            # A password that is shown must still not be corrected or learnt.
            auto_capitalize="none",
            spell_check=False,
            required=True,
            max_length=PASSWORD_MAXIMUM,
        ),
        rx.el.button(
            rx.cond(shown, rx.icon("eye-off", size=18), rx.icon("eye", size=18)),
            type="button",
            class_name="icon-button",
            aria_label=t("Show password"),
            title=t("Show password"),
            custom_attrs={"aria-pressed": shown},
            on_click=browser_call("sign_in/sign_in", "togglePassword"),
        ),
        class_name="sign-in-password",
    )
