"""Who a tab is told that it belongs to, and what names somebody else.

A browser has one session for all of its tabs, which another person or another clinic may take
over while a tab is away. What that tab had under way is its author's
(docs/decisions/001-bound-to-its-author.md).
"""

import base64
from typing import Any

from clinic_chat.domain.accounts.browser_key import browser_key
from clinic_chat.domain.accounts.sessions import Identity
from clinic_chat.realtime.clock import milliseconds_now

EVENT = "session:identity"
WRONG_AUTHOR = "wrong_author"


def identity_told(identity: Identity, secret: bytes) -> dict[str, Any]:
    """What a tab learns at its connect, before anything else.

    `author` is what its commands are to name, `key` seals what waits in the browser (32 bytes
    in base64), `now` is the server's clock in milliseconds since 1970.
    """
    key = browser_key(secret, identity.user_id, identity.clinic_id)
    return {
        "author": identity.author,
        "key": base64.b64encode(key).decode(),
        "now": milliseconds_now(),
    }


def names_another(author: object, identity: Identity) -> bool:
    """Whether a command or a tab was made by another person or in another clinic.

    None names nobody: it is made by whoever sends it.
    """
    return author is not None and author != identity.author


def author_of_tab(auth: object) -> object:
    """Whose tab it is by what it says at its connect, None for one that has just been loaded."""
    match auth:
        case {"live": {"author": author}}:
            return author
    return None
