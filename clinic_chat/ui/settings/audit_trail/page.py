"""Audit trail screen: who administered what, when and from where."""

import reflex as rx

from clinic_chat.domain.administration.audit_trail import Action
from clinic_chat.ui.account.state import Account
from clinic_chat.ui.components.texts import UNTRANSLATED
from clinic_chat.ui.components.times import ClockTime, LongDate
from clinic_chat.ui.i18n import t
from clinic_chat.ui.i18n.error_texts import ADMINISTRATION, error_text
from clinic_chat.ui.settings.audit_trail.state import ActRow, AuditTrail
from clinic_chat.ui.settings.layout import alert, role_name, section, settings_page

ROUTE = "/settings/audit"
ON_LOAD = [Account.load, AuditTrail.load]


def audit_trail_page() -> rx.Component:
    """The acts, newest first."""
    return settings_page(
        ROUTE,
        t("Audit trail"),
        alert(rx.cond(AuditTrail.error != "", error_text(ADMINISTRATION, AuditTrail.error), "")),
        section(
            t("What was administered"),
            rx.cond(
                AuditTrail.acts.length() > 0,
                rx.el.ul(rx.foreach(AuditTrail.acts, _act), class_name="settings-list"),
                rx.el.p(
                    rx.cond(AuditTrail.ready, t("Nothing yet."), t("Loading…")),
                    class_name="text-quiet",
                ),
            ),
            rx.cond(
                AuditTrail.cursor != "",
                rx.el.button(
                    t("Show earlier ones"),
                    type="button",
                    class_name="button",
                    on_click=AuditTrail.load_more,
                ),
                rx.fragment(),
            ),
        ),
    )


def _act(row: rx.Var[ActRow]) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.span(
                rx.el.strong(
                    rx.cond(row.actor_name != "", row.actor_name, _actor(row.actor_kind)),
                    custom_attrs=UNTRANSLATED,
                ),
                ": ",
                _action(row),
            ),
            rx.el.span(
                row.subject_name,
                rx.cond(
                    row.before != "",
                    rx.fragment(": ", role_name(row.before), " → ", role_name(row.after)),
                    rx.cond(
                        row.after != "", rx.fragment(": ", role_name(row.after)), rx.fragment()
                    ),
                ),
                custom_attrs=UNTRANSLATED,
            ),
            rx.el.span(
                LongDate.create(at=row.at),
                ", ",
                ClockTime.create(at=row.at),
                rx.cond(row.address != "", " · " + row.address, ""),
                class_name="text-quiet",
            ),
            class_name="settings-list-text",
        ),
        key=row.id,
        class_name="settings-list-item",
        custom_attrs={"data-action": row.action},
    )


def _actor(kind: rx.Var[str]) -> rx.Var[str]:
    return rx.match(kind, ("token", t("A program")), t("The server"))


def _action(row: rx.Var[ActRow]) -> rx.Var[str]:
    return rx.match(
        row.action,
        (Action.MEMBER_ADDED.value, t("joined")),
        (Action.MEMBER_DEACTIVATED.value, t("deactivated a member")),
        (Action.MEMBER_ACTIVATED.value, t("activated a member")),
        (Action.ROLE_CHANGED.value, t("changed a role")),
        (Action.SESSIONS_ENDED.value, t("ended sessions")),
        (Action.INVITATION_CREATED.value, t("invited someone")),
        (Action.INVITATION_REVOKED.value, t("took an invitation back")),
        (Action.RESET_CREATED.value, t("made a link for a new password")),
        (Action.PASSWORD_CHANGED.value, t("set a new password")),
        (Action.FACTOR_ADDED.value, t("set up a second step")),
        (Action.FACTOR_REMOVED.value, t("removed a second step")),
        (Action.PASSKEY_ADDED.value, t("added a passkey")),
        (Action.PASSKEY_RENAMED.value, t("renamed a passkey")),
        (Action.PASSKEY_REMOVED.value, t("removed a passkey")),
        (Action.PROFILE_CHANGED.value, t("changed the name")),
        (Action.TOKEN_CREATED.value, t("made an API token")),
        (Action.TOKEN_REVOKED.value, t("revoked an API token")),
        (Action.CLINIC_CHANGED.value, t("changed the clinic's settings")),
        (
            Action.CONVERSATIONS_DELETED.value,
            t("deleted {n} conversations after their term", n=row.count),
        ),
        (Action.PROVIDER_SET.value, t("set the identity provider")),
        (Action.PROVIDER_REMOVED.value, t("removed the identity provider")),
        (Action.ACCOUNT_LINKED.value, t("came from the identity provider for the first time")),
        (Action.ACCOUNT_UNLINKED.value, t("had an account at the identity provider forgotten")),
        (Action.WEBHOOK_CREATED.value, t("added a webhook")),
        (Action.WEBHOOK_CHANGED.value, t("changed a webhook")),
        (Action.WEBHOOK_SECRET_ROTATED.value, t("made a new secret for a webhook")),
        (Action.WEBHOOK_TESTED.value, t("sent a test event to a webhook")),
        (Action.WEBHOOK_REPLAYED.value, t("had events sent to a webhook again")),
        (Action.WEBHOOK_DELETED.value, t("deleted a webhook")),
        (Action.WEBHOOK_DISABLED.value, t("disabled a webhook that takes nothing")),
        row.action,
    )
