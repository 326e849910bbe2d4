"""Error texts: the texts for the codes of refusals and failures, by the place that shows them.

Screens take texts from here, browser modules from the build's module with `COMMANDS`
(assets/live/lib/error_texts.js).
"""

from typing import Any

import reflex as rx

from clinic_chat.domain.accounts.passwords import PASSWORD_MAXIMUM, PASSWORD_MINIMUM
from clinic_chat.domain.administration.clinic_settings import IDLE_MINUTES, RETENTION_MONTHS
from clinic_chat.domain.administration.passkeys import PASSKEYS as PASSKEYS_LIMIT
from clinic_chat.domain.validation import BODY_LIMIT
from clinic_chat.ui.i18n import t

Texts = dict[str, str]
"""Code → English text, the key of its translation."""

GENERAL = "general"
"""The key of the text for codes without a text of their own."""

COMMANDS: Texts = {
    "already_assigned": "{name} already took this conversation.",
    "already_unassigned": "Someone unassigned this conversation.",
    "body_empty": "Write something first.",
    "body_too_long": "A message has at most {n} characters.",
    "forbidden": "You may not do that in this clinic.",
    "no_answer": "No response. Check whether it went through.",
    "not_loaded": "That didn’t load. Reload the page.",
    "nothing_inbound": "The patient has not written yet.",
    "offline": "Nothing was changed: no connection. Try again.",
    "rate_limited": "Too many requests. Wait a moment.",
    "restarting": "Nothing was changed: the server is restarting. Try again.",
    "slow": "That took too long. Try again.",
    "started_over": (
        "This tab was somebody else's or another clinic's. What waits in it is kept for them."
    ),
    "still_signed_in": "You are still signed in: no connection.",
    "retention_invalid": "Months are a number from {n} to {m}, or empty.",
    "storage_unavailable": "Nothing was changed: the server cannot save right now.",
    GENERAL: "That didn’t work. Try again.",
}
"""For actions on a page: notices, and the message box."""

UNSENT: Texts = {
    "storage_unavailable": "Not sent: the clinic's server cannot save right now.",
    "rate_limited": "Not sent: too many messages in a minute.",
    "not_found": "Not sent: this conversation no longer exists.",
    "body_too_long": "Not sent: a message has at most {n} characters.",
    "too_old": "Not sent: it waited for more than a week. Is it still right?",
    GENERAL: "Not sent: something went wrong.",
}
"""For messages that are kept in the browser only."""

SIGN_IN: Texts = {
    "invalid": "Email or password is wrong.",
    "limited": "Too many attempts. Wait a minute and try again.",
    "busy": "Many people are signing in right now. Try again in a moment.",
    "unavailable": "We couldn’t sign you in right now. Try again.",
    "ended": "Your session has ended. Sign in again.",
    "code_wrong": "That code is not right, or was used already.",
    "codes_locked": (
        "Too many codes were wrong. Use a recovery code, or ask whoever manages your clinic’s "
        "accounts."
    ),
    "late": "That took too long. Give your password once more.",
    "sso_unknown": "No clinic of that name signs in this way. Check the short name.",
    "sso_unavailable": "Your clinic’s account cannot be used right now. Try again later.",
    "sso_late": "That took too long, or was begun somewhere else. Try again.",
    "sso_denied": "You did not finish signing in to your clinic’s account. Try again.",
    "sso_failed": (
        "The answer about your clinic’s account does not count. Tell whoever manages it."
    ),
    "sso_not_member": (
        "Nobody in this clinic has that account. Ask whoever manages your clinic’s accounts."
    ),
    "sso_email": (
        "The email address of your clinic’s account is not confirmed. Tell whoever manages it."
    ),
    "sso_other_account": (
        "This clinic knows you by another account. Ask an administrator to forget it."
    ),
}
"""For attempts to sign in, by `error` in the address of the sign-in page."""

PASSKEYS: Texts = {
    "busy": "Many people are signing in right now. Try again in a moment.",
    "late": "That took too long. Try again.",
    "name_too_long": "That name is too long.",
    "passkey_cancelled": "The passkey was not used: it was cancelled, or took too long.",
    "passkey_exists": "This device already keeps a passkey of yours.",
    "passkey_refused": "That passkey opens no account here.",
    "passkey_unverified": "This device cannot check that it is you, by PIN, finger or face.",
    "passkeys_unavailable": "Passkeys do not work at this address.",
    "password_wrong": "That is not your current password.",
    "rate_limited": "Too many attempts. Wait a minute and try again.",
    "storage_unavailable": "That can’t be saved right now. Try again.",
    "too_many_passkeys": "You have {n} passkeys already. Remove one first.",
    "unauthorized": "Your session has ended. Sign in again.",
    GENERAL: "That didn’t work. Try again.",
}
"""For passkeys: signing in with one, and adding one."""

LINKS: Texts = {
    "link_over": "This link does not count any more. Ask for a new one.",
    "name_empty": "Write your name.",
    "name_too_long": "That name is too long.",
    "password_characters": "That password has characters that nobody can type.",
    "password_common": "That password is easy to guess. Take a longer one, of several words.",
    "password_length": "A password has {n} to {m} characters.",
    "password_personal": "Leave your name, your address and the clinic out of the password.",
    "busy": "Many people are signing in right now. Try again in a moment.",
    "rate_limited": "Too many requests. Wait a moment.",
    "storage_unavailable": "Nothing was changed: the server cannot save right now.",
    GENERAL: "That didn’t work. Try again.",
}
"""For links to join a clinic or to set a password."""

SETUP: Texts = {
    "clinic_exists": "This server is set up already. Sign in.",
    "code_wrong": "That is not the code of the server's log.",
    "email_invalid": "That is not an email address.",
    "name_empty": "Write a name.",
    "name_too_long": "That name is too long.",
    "password_characters": "That password has characters that nobody can type.",
    "password_common": "That password is easy to guess. Take a longer one, of several words.",
    "password_length": "A password has {n} to {m} characters.",
    "password_personal": "Leave your name, your address and the clinic out of the password.",
    "rate_limited": "Too many requests. Wait a moment.",
    "storage_unavailable": "Nothing was changed: the server cannot save right now.",
    "timezone_invalid": "There is no such time zone. Take one like America/Sao_Paulo.",
    GENERAL: "That didn’t work. Try again.",
}
"""For the set-up page."""

ADMINISTRATION: Texts = {
    "email_invalid": "That is not an email address.",
    "busy": "Many people are signing in right now. Try again in a moment.",
    "client_id_invalid": "That is not a client ID.",
    "code_wrong": "That code is not right, or was used already.",
    "description_invalid": "That description is too long.",
    "event_types_invalid": "Choose at least one kind of event.",
    "factor_exists": "A second step is set up already.",
    "forbidden": "You may not do that in this clinic.",
    "hours_invalid": "Each span needs a time to open and a later time to close.",
    "hours_overlap": "Two spans of one day overlap.",
    "idle_invalid": "Minutes are a number from {n} to {m}, or empty.",
    "issuer_invalid": "The issuer is an address that begins with https://.",
    "last_administrator": "The clinic keeps an administrator. Make somebody else one first.",
    "member_exists": "This person works here already.",
    "name_empty": "Write a name.",
    "name_too_long": "That name is too long.",
    "not_found": "That is gone already.",
    "password_characters": "That password has characters that nobody can type.",
    "password_common": "That password is easy to guess. Take a longer one, of several words.",
    "password_length": "A password has {n} to {m} characters.",
    "password_personal": "Leave your name, your address and the clinic out of the password.",
    "password_wrong": "That is not your current password.",
    "permissions_invalid": "Choose what the token may do.",
    "rate_limited": "Too many requests. Wait a moment.",
    "secret_invalid": "That is not a client secret.",
    "secret_missing": "Give the client secret too: it belongs to this issuer and client.",
    "storage_unavailable": "Nothing was changed: the server cannot save right now.",
    "timezone_invalid": "There is no such time zone. Take one of the list.",
    "too_many_tokens": "Too many tokens. Revoke some first.",
    "too_many_invitations": "Too many invitations are open. Take some back first.",
    "too_many_webhooks": "Too many webhooks. Delete some first.",
    "url_invalid": "The address begins with https:// and leads to a public network.",
    "works_elsewhere": (
        "This person works in another clinic too. Only whoever runs the server may set their "
        "password."
    ),
    GENERAL: "That didn’t work. Try again.",
}
"""For the settings screens."""

PROVIDER_CHECK: Texts = {
    "address_invalid": "The issuer is no address that can be asked.",
    "address_private": (
        "The issuer is in a private network. Whoever runs the server can allow its name."
    ),
    "certificate": "The certificate of the issuer is not one that this server believes.",
    "endpoint_invalid": "An address that the provider names is missing or is not https.",
    "issuer_differs": "The provider calls itself something else. Write the issuer exactly so:",
    "no_algorithm": "The provider signs with none of RS256, PS256 and ES256.",
    "no_code_flow": "The provider does not offer the code flow (response type “code”).",
    "no_s256": "The provider does not offer PKCE with S256.",
    "no_secret": "The provider does not take a client secret.",
    "not_https": "The issuer is not an https address.",
    "not_json": "What the issuer answers is not the document of an OpenID provider.",
    "redirected": "The issuer leads on to another address. Write the last one.",
    "status": "The issuer answers with an error: there is no document of an OpenID provider.",
    "too_large": "The issuer’s answer is too large.",
    "too_slow": "The issuer does not answer within five seconds.",
    "unreachable": "The issuer cannot be reached. Check the address.",
    GENERAL: "That didn’t work. Try again.",
}
"""For what a look at a clinic's identity provider found (`Failure`, `Problem`)."""

WEBHOOK_ATTEMPT: Texts = {
    "address_invalid": "The receiver’s address is not one that can be sent to.",
    "address_private": (
        "The receiver is in a private network. Whoever runs the server can allow its name."
    ),
    "certificate": "The receiver’s certificate is not one that this server believes.",
    "not_https": "The receiver’s address is not an https address.",
    "redirected": "The receiver leads on to another address. Use that one.",
    "secret_unreadable": "The stored secret can no longer be read. Make a new one.",
    "status": "The receiver answered with an error.",
    "too_slow": "The receiver did not answer within 15 seconds.",
    "unreachable": "The receiver could not be reached.",
    GENERAL: "That event could not be sent.",
}
"""For an attempt to send an event to a webhook (`Outcome` in domain/webhooks/request.py)."""

PARAMETERS: dict[str, dict[str, int]] = {
    "body_too_long": {"n": BODY_LIMIT},
    "password_length": {"n": PASSWORD_MINIMUM, "m": PASSWORD_MAXIMUM},
    "retention_invalid": {"n": RETENTION_MONTHS[0], "m": RETENTION_MONTHS[1]},
    "too_many_passkeys": {"n": PASSKEYS_LIMIT},
    "idle_invalid": {"n": IDLE_MINUTES[0], "m": IDLE_MINUTES[1]},
}
"""Parameters of a code's text besides those of the answer, by code."""


def error_text(texts: Texts, code: rx.Var[str]) -> rx.Var[str]:
    """The text for a code that only the browser knows, in the reader's language."""
    told = error_texts(texts)
    general = told.pop(GENERAL)
    found: Any = rx.match(code, *told.items(), general)
    return found


def error_texts(texts: Texts) -> dict[str, rx.Var[str]]:
    """The texts in the reader's language, by code."""
    return {code: t(text, **PARAMETERS.get(code, {})) for code, text in texts.items()}
