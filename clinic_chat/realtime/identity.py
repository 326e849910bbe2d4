"""The identity that a tab is told when it connects, and the check of a command's author.

A browser has one session for all of its tabs. It may become that of another person or clinic while
a tab is disconnected, but the tab's unsent work still belongs to its author
(docs/decisions/001-bound-to-its-author.md).
"""

import base64
from typing import Any

from clinic_chat.domain.accounts.browser_key import browser_key
from clinic_chat.domain.accounts.session_records import Identity
from clinic_chat.realtime.clock import milliseconds_now

EVENT = "session:identity"
WRONG_AUTHOR = "wrong_author"


def identity_told(identity: Identity, secret: bytes) -> dict[str, Any]:
    """The identity message, the first message that a tab gets when it connects.

    `author` is to be named in the tab's commands, `key` (32 bytes in base64) encrypts unsent work
    in the browser, `now` is the server's clock in milliseconds since 1970.
    """
    key = browser_key(secret, identity.user_id, identity.clinic_id)
    return {
        "author": identity.author,
        "key": base64.b64encode(key).decode(),
        "now": milliseconds_now(),
    }


def names_another(author: object, identity: Identity) -> bool:
    """Whether the `author` of a command or tab is another person, or the same in another clinic.

    None names no author: the author is then the sender.
    """
    return author is not None and author != identity.author


def author_of_tab(auth: object) -> object:
    """The author in a tab's connect data, or None for a tab that has just been loaded."""
    match auth:
        case {"live": {"author": author}}:
            return author
    return None
