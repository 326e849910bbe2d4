"""Sign-in page: a plain form, so that it works before anything is connected."""

import reflex as rx

from clinic_chat.domain.accounts.passwords import PASSWORD_MAXIMUM
from clinic_chat.domain.accounts.users import LOCALES
from clinic_chat.ui.account.menu import LOCALE_NAMES
from clinic_chat.ui.components.bindings import browser_call, browser_handler, browser_value
from clinic_chat.ui.components.plain_form import plain_form
from clinic_chat.ui.components.theme import logo
from clinic_chat.ui.i18n import t
from clinic_chat.ui.i18n.error_texts import SIGN_IN, error_texts

ROUTE = "/login"


class SignInQuery(rx.Component):
    """Reads the address: the error of the last attempt, and the page to open afterwards."""

    library = "$/public/live/app/sign_in.js"
    tag = "SignInQuery"

    messages: rx.Var[dict[str, str]]


def sign_in_page() -> rx.Component:
    """The form with email and password, and the choice of language."""
    return rx.el.main(
        rx.el.div(
            rx.el.div(logo(), rx.el.h1("Clinic Chat"), class_name="sign-in-brand"),
            rx.el.p(t("Sign in to your clinic’s inbox"), class_name="text-quiet"),
            rx.match(_step(), ("code", _code()), ("sso", _clinic()), _credentials()),
            rx.el.p(
                rx.cond(
                    _step() == "sso",
                    t("Ask whoever manages your clinic’s accounts for its short name."),
                    t("Forgot your password? Ask whoever manages your clinic’s accounts."),
                ),
                id="sign-in-help",
                class_name="sign-in-help text-quiet",
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
                    on_click=browser_call("app/sign_in", "chooseLocale", locale),
                )
                for locale in LOCALES
            ],
            class_name="sign-in-languages",
        ),
        class_name="sign-in",
    )


def _step() -> rx.Var[str]:
    return browser_value("app/sign_in", "step", "valueOf()")


def _clinic() -> rx.Component:
    """A form that a browser module sends: the policy lets a form lead nowhere else."""
    return plain_form(
        SignInQuery.create(messages=error_texts(SIGN_IN)),
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
            on_click=browser_handler("app/sign_in", "loadStep"),
        ),
        method="get",
        action="/auth/sso/start",
        key="clinic",
        class_name="sign-in-form",
    )


def _code() -> rx.Component:
    return plain_form(
        SignInQuery.create(messages=error_texts(SIGN_IN)),
        rx.el.label(t("Code of your app, or a recovery code"), html_for="code"),
        rx.el.input(
            id="code",
            name="code",
            auto_complete="one-time-code",
            auto_capitalize="none",
            spell_check=False,
            required=True,
            auto_focus=True,
            max_length=40,
        ),
        rx.el.button(t("Sign in"), type="submit", class_name="button button-primary"),
        rx.el.a(
            t("Begin again"),
            href=ROUTE,
            class_name="link-button",
            on_click=browser_handler("app/sign_in", "loadStep"),
        ),
        key="code",
        method="post",
        action="/auth/code",
        class_name="sign-in-form",
    )


def _credentials() -> rx.Component:
    return plain_form(
        SignInQuery.create(messages=error_texts(SIGN_IN)),
        rx.el.label(t("Email"), html_for="email"),
        rx.el.input(
            id="email",
            name="email",
            type="email",
            auto_complete="username",
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
            on_click=browser_handler("app/sign_in", "loadStep"),
        ),
        method="post",
        action="/auth/login",
        key="credentials",
        class_name="sign-in-form",
    )


def _password() -> rx.Component:
    shown = browser_value("app/sign_in", "passwordShown", "valueOf()", bool)
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
            on_click=browser_call("app/sign_in", "togglePassword"),
        ),
        class_name="sign-in-password",
    )
