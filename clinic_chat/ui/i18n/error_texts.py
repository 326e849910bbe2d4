"""Error texts: the texts for the codes of refusals and failures, by the place that shows them.

Screens take texts from here, browser modules from the build's module with `COMMANDS`
(assets/live/lib/error_texts.js).
"""

from typing import Any

import reflex as rx

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
}
"""For attempts to sign in, by `error` in the address of the sign-in page."""

PARAMETERS: dict[str, dict[str, int]] = {"body_too_long": {"n": BODY_LIMIT}}
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
