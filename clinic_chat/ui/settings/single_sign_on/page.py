"""Single sign-on screen: the clinic's identity provider, and who comes from there."""

import reflex as rx

from clinic_chat.domain.single_sign_on.providers import (
    CLIENT_ID_LIMIT,
    ISSUER_LIMIT,
    SECRET_LIMIT,
)
from clinic_chat.ui.account.state import Account
from clinic_chat.ui.components.controls import OwnAddress
from clinic_chat.ui.components.texts import UNTRANSLATED
from clinic_chat.ui.components.times import LongDate
from clinic_chat.ui.i18n import t
from clinic_chat.ui.i18n.error_texts import ADMINISTRATION, PROVIDER_CHECK, error_text
from clinic_chat.ui.settings.layout import alert, done, field, question, section, settings_page
from clinic_chat.ui.settings.single_sign_on.state import LinkedRow, SingleSignOn

ROUTE = "/settings/sso"
ON_LOAD = [Account.load, SingleSignOn.load]


def single_sign_on_page() -> rx.Component:
    """The provider, the addresses to hand out, and the people it is known of."""
    return settings_page(
        ROUTE,
        t("Single sign-on"),
        rx.cond(
            SingleSignOn.ready,
            rx.fragment(
                section(t("Addresses to hand out"), _addresses()),
                section(t("Identity provider"), _about(), _form(), _acts(), _outcome()),
                rx.cond(
                    SingleSignOn.people.length() > 0,
                    section(t("Who signed in with it"), _people()),
                    rx.fragment(),
                ),
            ),
            rx.fragment(
                _outcome(),
                rx.el.p(t("Loading…"), class_name="text-quiet", role="status"),
            ),
        ),
    )


def _outcome() -> rx.Component:
    """What became of the last act, beside the buttons, because the screen is long."""
    return rx.fragment(
        alert(
            rx.cond(SingleSignOn.error != "", error_text(ADMINISTRATION, SingleSignOn.error), "")
        ),
        done(
            rx.match(
                SingleSignOn.done,
                ("saved", t("Saved.")),
                ("fine", t("The provider answers, and people can sign in with it.")),
                ("removed", t("The provider is removed. Who came from there is signed out.")),
                ("unlinked", t("That account is forgotten.")),
                "",
            )
        ),
        _problems(),
    )


def _problems() -> rx.Component:
    return rx.el.div(
        rx.foreach(
            SingleSignOn.problems,
            lambda code: rx.el.p(
                error_text(PROVIDER_CHECK, code),
                rx.cond(
                    code == "issuer_differs",
                    rx.fragment(
                        " ", rx.el.code(SingleSignOn.found_issuer, custom_attrs=UNTRANSLATED)
                    ),
                    rx.fragment(),
                ),
                key=code,
                class_name="settings-alert",
            ),
        ),
        role="alert",
        class_name="settings-problems",
    )


def _addresses() -> rx.Component:
    return rx.fragment(
        rx.el.p(t("Register this redirect address at your provider:")),
        OwnAddress.create(
            path="/auth/sso/callback",
            name=t("Redirect address"),
            copy_label=t("Copy the redirect address"),
        ),
        rx.el.p(t("Your staff sign in at this address:")),
        OwnAddress.create(
            path="/auth/sso/start?clinic=" + Account.clinic,
            name=t("Sign-in address"),
            copy_label=t("Copy the sign-in address"),
        ),
        rx.el.p(
            t("Or on the sign-in page, with your clinic’s short name: {name}", name=Account.clinic),
            class_name="text-quiet",
        ),
    )


def _about() -> rx.Component:
    return rx.fragment(
        rx.el.p(
            t(
                "Staff sign in with the account that they have at your provider, such as Google "
                "Workspace, Microsoft Entra ID or Keycloak (OpenID Connect). They are found by "
                "their confirmed email address; nobody is added to the clinic."
            )
        ),
        rx.el.p(
            t(
                "The provider asks for a second step itself: here none is asked of who comes from "
                "there, also when your clinic requires one. Whoever manages the provider can sign "
                "in as anybody of this clinic."
            ),
            class_name="text-quiet",
        ),
    )


def _form() -> rx.Component:
    return rx.el.form(
        field(
            t("Issuer"),
            "issuer",
            rx.el.input(
                id="issuer",
                name="issuer",
                type="url",
                default_value=SingleSignOn.issuer,
                required=True,
                max_length=ISSUER_LIMIT,
                placeholder="https://login.example.com",
                auto_complete="off",
            ),
        ),
        field(
            t("Client ID"),
            "client_id",
            rx.el.input(
                id="client_id",
                name="client_id",
                default_value=SingleSignOn.client_id,
                required=True,
                max_length=CLIENT_ID_LIMIT,
                auto_complete="off",
                spell_check=False,
            ),
        ),
        field(
            t("Client secret"),
            "client_secret",
            rx.el.input(
                id="client_secret",
                name="client_secret",
                key=SingleSignOn.secrets,
                type="password",
                # A new password, so that no password manager fills in somebody's own.
                auto_complete="new-password",
                required=~SingleSignOn.is_set,
                max_length=SECRET_LIMIT,
                placeholder=rx.cond(SingleSignOn.is_set, t("Stays as it is"), ""),
            ),
        ),
        rx.cond(
            SingleSignOn.is_readable,
            rx.fragment(),
            rx.el.p(
                t("The stored secret can no longer be read. Give it again."),
                class_name="settings-alert",
            ),
        ),
        rx.el.label(
            rx.el.input(
                type="checkbox", name="is_enabled", default_checked=SingleSignOn.is_enabled
            ),
            t("Staff may sign in with it"),
            class_name="settings-check",
        ),
        rx.el.button(t("Save"), type="submit", class_name="button button-primary"),
        key=SingleSignOn.form,
        on_submit=SingleSignOn.save,
        class_name="settings-form",
    )


def _acts() -> rx.Component:
    return rx.cond(
        SingleSignOn.is_set,
        rx.cond(
            SingleSignOn.asked == "provider",
            question(
                t("Who signed in with it is signed out at once."),
                t("Remove"),
                SingleSignOn.remove,
                SingleSignOn.ask(""),
            ),
            rx.el.div(
                rx.el.button(
                    t("Check the provider"),
                    type="button",
                    class_name="button",
                    on_click=SingleSignOn.check,
                ),
                rx.el.button(
                    t("Remove the provider"),
                    type="button",
                    class_name="button",
                    on_click=SingleSignOn.ask("provider"),
                ),
                class_name="settings-actions",
            ),
        ),
        rx.fragment(),
    )


def _people() -> rx.Component:
    return rx.el.ul(rx.foreach(SingleSignOn.people, _person), class_name="settings-list")


def _person(row: rx.Var[LinkedRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.strong(row.name, custom_attrs=UNTRANSLATED),
            rx.el.span(row.email, class_name="text-quiet", custom_attrs=UNTRANSLATED),
            rx.el.span(t("Since "), LongDate.create(at=row.linked_at), class_name="text-quiet"),
            class_name="settings-list-text",
        ),
        rx.cond(
            SingleSignOn.asked == row.id,
            question(
                t("The account that the provider has for this person now takes its place."),
                t("Forget account"),
                SingleSignOn.unlink(row.id),
                SingleSignOn.ask(""),
            ),
            rx.el.button(
                t("Forget account"),
                type="button",
                class_name="button",
                aria_label=t("Forget account of {name}", name=row.name),
                on_click=SingleSignOn.ask(row.id),
            ),
        ),
        key=row.id,
        class_name="settings-list-item",
        custom_attrs={"data-linked": row.id},
    )
