"""The person's menu: clinic, language, appearance, sign-out."""

import reflex as rx
from reflex.style import set_color_mode

from clinic_chat.domain.staff import LOCALES
from clinic_chat.ui.account.state import Account, ClinicChoice
from clinic_chat.ui.forms import plain_form
from clinic_chat.ui.i18n import t
from clinic_chat.ui.live import browser_call, browser_value

LOCALE_NAMES = {"pt-BR": "Português (Brasil)", "en": "English"}


def account_menu() -> rx.Component:
    """A button with the person's name that opens the menu."""
    return rx.menu.root(
        rx.menu.trigger(
            rx.el.button(
                rx.icon("circle-user-round", size=20),
                class_name="icon-button",
                type="button",
                aria_label=t("Account of {name}", name=Account.user_name),
                title=Account.user_name,
            ),
        ),
        rx.menu.content(
            rx.el.div(
                rx.el.strong(Account.user_name),
                rx.el.span(Account.email),
                class_name="menu-person",
            ),
            rx.menu.separator(),
            rx.cond(Account.clinics.length() > 1, rx.fragment(*_clinic_choices())),
            rx.menu.sub(
                rx.menu.sub_trigger(rx.icon("languages", size=16), t("Language")),
                rx.menu.sub_content(*[_language(locale) for locale in LOCALES]),
            ),
            rx.menu.sub(
                rx.menu.sub_trigger(rx.icon("sun-moon", size=16), t("Appearance")),
                rx.menu.sub_content(
                    _appearance("light", t("Light")),
                    _appearance("dark", t("Dark")),
                    _appearance("system", t("Like this device")),
                ),
            ),
            rx.menu.sub(
                rx.menu.sub_trigger(rx.icon("bell", size=16), t("Notifications")),
                rx.menu.sub_content(*_notifications()),
            ),
            rx.menu.separator(),
            rx.menu.item(
                rx.icon("log-out", size=16),
                t("Sign out"),
                on_select=browser_call("forms", "signOut"),
            ),
            align="end",
            class_name="account-menu",
        ),
    )


def leaving_dialog() -> rx.Component:
    """Asks before signing out throws away what waits for a connection."""
    return rx.alert_dialog.root(
        rx.alert_dialog.content(
            rx.alert_dialog.title(t("Messages are still waiting")),
            rx.alert_dialog.description(
                t(
                    "{n} messages have not been sent yet. Signing out discards them.",
                    n=browser_value("outbox", "queued", "valueOf()", int),
                )
            ),
            rx.el.div(
                rx.el.button(
                    t("Stay signed in"),
                    type="button",
                    class_name="button",
                    on_click=browser_call("forms", "stay"),
                ),
                rx.el.button(
                    t("Discard and sign out"),
                    type="button",
                    class_name="button button-danger",
                    on_click=browser_call("forms", "leave"),
                ),
                class_name="dialog-buttons",
            ),
            max_width="26rem",
        ),
        open=browser_value("forms", "leaving", "valueOf()", bool),
    )


def account_forms() -> rx.Component:
    """The form behind the menu: moving to another clinic is a plain post."""
    return rx.el.div(
        plain_form(
            rx.el.input(type="hidden", name="clinic", id="switch-clinic-slug"),
            id="switch-clinic",
            method="post",
            action="/auth/switch",
        ),
        hidden=True,
    )


def _clinic_choices() -> list[rx.Component]:
    return [
        rx.el.div(t("Clinic"), class_name="menu-label"),
        rx.foreach(Account.clinics, _clinic_choice),
        rx.menu.separator(),
    ]


def _clinic_choice(clinic: rx.Var[ClinicChoice]) -> rx.Component:
    return rx.menu.item(
        rx.icon("building-2", size=16),
        clinic.name,
        rx.cond(clinic.current, rx.icon("check", size=16), rx.fragment()),
        on_select=browser_call("forms", "switchClinic", clinic.slug),
        disabled=clinic.current,
    )


def _notifications() -> list[rx.Component]:
    sound = browser_value("account", "account", "sound", bool)
    shown = browser_value("notify", "notifications", "valueOf()")
    return [
        rx.menu.item(
            rx.cond(sound, t("Sound: on"), t("Sound: off")),
            on_select=browser_call("account", "chooseSound", ~sound),
        ),
        rx.menu.item(
            rx.match(
                shown,
                ("on", t("On this device: on")),
                ("blocked", t("Blocked by the browser")),
                t("On this device: off"),
            ),
            on_select=browser_call("notify", "toggleNotifications"),
            disabled=shown == "blocked",
        ),
    ]


def _language(locale: str) -> rx.Component:
    return rx.menu.item(
        LOCALE_NAMES[locale],
        lang=locale,
        on_select=browser_call("account", "chooseLocale", locale),
    )


def _appearance(mode: str, name: rx.Var[str]) -> rx.Component:
    return rx.menu.item(name, on_select=set_color_mode(mode))
