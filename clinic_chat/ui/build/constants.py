"""Shared constants: values of the server, written into the browser's build."""

import json
from typing import Any

from clinic_chat.domain.conversations.conversation import Status
from clinic_chat.domain.messages.drafts import DRAFT_LIMIT
from clinic_chat.domain.queries.filters import SEARCH_LIMIT
from clinic_chat.domain.queries.message_pages import PAGE_SIZE
from clinic_chat.domain.validation import BODY_LIMIT
from clinic_chat.realtime import identity
from clinic_chat.realtime import server as realtime
from clinic_chat.realtime.commands.feeds import CHECK_MAXIMUM_MS, STALE_MAXIMUM_MS
from clinic_chat.realtime.commands.personal import MARKERS_AT_ONCE
from clinic_chat.realtime.feeds import inbox, personal, sender, thread
from clinic_chat.realtime.presence.activity import EXPIRE_SECONDS

FILE = "utils/constants.js"


def shared_constants() -> dict[str, Any]:
    """Constants of the browser by name; times are in milliseconds, lengths in code points."""
    return {
        "BODY_LIMIT": BODY_LIMIT,
        "DRAFT_LIMIT": DRAFT_LIMIT,
        "SEARCH_LIMIT": SEARCH_LIMIT,
        "MESSAGES_PAGE": PAGE_SIZE,
        "MARKERS_AT_ONCE": MARKERS_AT_ONCE,
        "TYPING_EXPIRES_MS": round(EXPIRE_SECONDS * 1000),
        "CHECK_MAXIMUM_MS": CHECK_MAXIMUM_MS,
        "STALE_MAXIMUM_MS": STALE_MAXIMUM_MS,
        "STATUSES": [status.value for status in Status],
        "FEED_EVENT": sender.EVENT,
        "CHECK_FEED": sender.CHECK,
        "INBOX_FEED": inbox.FEED,
        "INBOX_KEY": inbox.KEY,
        "THREAD_FEED": thread.FEED,
        "PERSONAL_FEED": personal.FEED,
        "PERSONAL_KEY": personal.KEY,
        "IDENTITY_EVENT": identity.EVENT,
        "SESSION_ENDED_EVENT": realtime.SESSION_ENDED,
    }


def constants_module() -> tuple[str, str]:
    """The path and the text of the JavaScript module."""
    lines = [
        f"export const {name} = {json.dumps(value)};\n"
        for name, value in shared_constants().items()
    ]
    return FILE, "".join(lines)
