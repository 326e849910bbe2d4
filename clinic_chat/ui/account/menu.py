"""Account menu: clinic, language, appearance, notifications and sign-out."""

import reflex as rx
from reflex.style import color_mode, set_color_mode

from clinic_chat.domain.accounts.users import LOCALES
from clinic_chat.ui.account.state import Account, ClinicChoice
from clinic_chat.ui.components.bindings import browser_call, browser_value
from clinic_chat.ui.components.controls import Question
from clinic_chat.ui.components.menus import item, menu, radio, separator, sub_menu, switch
from clinic_chat.ui.components.plain_form import plain_form
from clinic_chat.ui.i18n import t

LOCALE_NAMES = {"pt-BR": "Português (Brasil)", "en": "English"}


def account_menu() -> rx.Component:
    """A button with the person's name that opens the menu."""
    return menu(
        rx.el.button(
            rx.icon("circle-user-round", size=20),
            class_name="icon-button",
            type="button",
            aria_label=t("Account of {name}", name=Account.user_name),
            title=Account.user_name,
        ),
        rx.el.div(
            rx.el.strong(Account.user_name),
            rx.el.span(Account.email),
            class_name="menu-person",
        ),
        separator(),
        rx.cond(Account.clinics.length() > 1, rx.fragment(*_clinic_choices())),
        sub_menu(
            _opens("languages", t("Language")),
            *[_language(locale) for locale in LOCALES],
        ),
        sub_menu(
            _opens("sun-moon", t("Appearance")),
            _appearance("light", t("Light")),
            _appearance("dark", t("Dark")),
            _appearance("system", t("Same as system")),
        ),
        sub_menu(_opens("bell", t("Notifications")), *_notifications()),
        separator(),
        item(
            rx.icon("settings", size=16),
            t("Settings"),
            on_select=browser_call("navigation/router", "goTo", "/settings/account"),
        ),
        item(
            rx.icon("log-out", size=16),
            t("Sign out"),
            on_select=browser_call("sign_in/sign_out", "signOut"),
        ),
    )


def leaving_dialog() -> rx.Component:
    """A question before signing out discards unsent messages."""
    return Question.create(
        rx.el.h2(t("Unsent messages"), id="question-title"),
        rx.el.p(
            t(
                "{n} messages have not been sent yet. Signing out discards them.",
                n=browser_value("outbox/outbox", "queued", "valueOf()", int),
            ),
            id="question-text",
        ),
        rx.el.div(
            rx.el.button(
                t("Stay signed in"),
                type="button",
                class_name="button",
                on_click=browser_call("sign_in/sign_out", "stay"),
            ),
            rx.el.button(
                t("Sign out and discard"),
                type="button",
                class_name="button button-danger",
                on_click=browser_call("sign_in/sign_out", "leave"),
            ),
            class_name="confirm-dialog-actions",
        ),
        open=browser_value("sign_in/sign_out", "leaving", "valueOf()", bool),
        on_cancel=browser_call("sign_in/sign_out", "stay"),
    )


def account_forms() -> rx.Component:
    """The menu's form, a plain post that switches to another clinic."""
    return rx.el.div(
        plain_form(
            rx.el.input(type="hidden", name="clinic", id="switch-clinic-slug"),
            id="switch-clinic",
            method="post",
            action="/auth/switch",
        ),
        hidden=True,
    )


def _opens(icon: str, name: rx.Var[str]) -> rx.Component:
    return rx.fragment(
        rx.icon(icon, size=16),
        name,
        rx.icon("chevron-right", size=16, class_name="menu-submenu-arrow"),
    )


def _clinic_choices() -> list[rx.Component]:
    return [
        rx.el.div(t("Clinic"), class_name="menu-label"),
        rx.foreach(Account.clinics, _clinic_choice),
        separator(),
    ]


def _clinic_choice(clinic: rx.Var[ClinicChoice]) -> rx.Component:
    return radio(
        rx.icon("building-2", size=16),
        clinic.name,
        checked=clinic.current,
        on_select=browser_call("sign_in/sign_out", "switchClinic", clinic.slug),
        disabled=clinic.current,
    )


def _notifications() -> list[rx.Component]:
    sound = browser_value("account/account", "account", "sound", bool)
    shown = browser_value("notifications/notifications", "notifications", "valueOf()")
    return [
        switch(
            t("Sound"),
            checked=sound,
            on_select=browser_call("account/account", "chooseSound", ~sound),
        ),
        switch(
            rx.match(
                shown,
                ("blocked", t("Blocked by the browser")),
                ("unavailable", t("On this device: not possible in this browser")),
                t("On this device"),
            ),
            checked=shown == "on",
            on_select=browser_call("notifications/notifications", "toggleNotifications"),
            disabled=(shown == "blocked") | (shown == "unavailable"),
        ),
    ]


def _language(locale: str) -> rx.Component:
    return radio(
        LOCALE_NAMES[locale],
        checked=browser_value("lib/i18n", "locale", "valueOf()") == locale,
        custom_attrs={"lang": locale},
        on_select=browser_call("account/account", "chooseLocale", locale),
    )


def _appearance(mode: str, name: rx.Var[str]) -> rx.Component:
    return radio(name, checked=color_mode == mode, on_select=set_color_mode(mode))
