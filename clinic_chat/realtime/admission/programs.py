"""Programs at the socket endpoint: whose token is shown, and for which clinic's namespace."""

import json
import re
from typing import Any

from clinic_chat.domain.accounts.api_tokens import TokenHolder, Tokens
from clinic_chat.realtime.admission.visitor import UNAUTHORIZED, UNAVAILABLE
from clinic_chat.storage.database import StorageUnavailable

NAMESPACE_PREFIX = "/clinic/"
WRONG_CLINIC = "wrong_clinic"
_CONNECT = re.compile(r"40(/[^,]{0,100})(?:,(.*))?", re.DOTALL)
_NAMESPACE = re.compile(r"/clinic/[a-z0-9-]{1,40}")


class ProgramRefused(Exception):
    """A program may not connect; `code` says why, the message is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    @property
    def data(self) -> dict[str, str]:
        """What a client gets beside the message."""
        return {"code": self.code, "message": str(self)}


def is_public(namespace: str) -> bool:
    """Whether a namespace is one for programs; not whether there is such a clinic."""
    return _NAMESPACE.fullmatch(namespace) is not None


def namespace_and_auth(packet: str) -> tuple[str, Any]:
    """The namespace, "" for none, and the auth data of a connect packet in a message."""
    found = _CONNECT.fullmatch(packet)
    if found is None:
        return "", None
    try:
        return found[1], json.loads(found[2]) if found[2] else None
    except (ValueError, RecursionError):
        return found[1], None


async def identify(tokens: Tokens, namespace: str, auth: object) -> TokenHolder:
    """The holder of the token in `auth`, which must be of the namespace's clinic.

    Raises:
        ProgramRefused: `unauthorized`, `wrong_clinic` or `unavailable`.
    """
    token = auth.get("token") if isinstance(auth, dict) else None
    if not isinstance(token, str) or not token:
        raise ProgramRefused(UNAUTHORIZED, "send a token in auth: {token}")
    try:
        holder = await tokens.holder(token)
    except StorageUnavailable:
        raise ProgramRefused(UNAVAILABLE, "try again in a moment") from None
    if holder is None:
        raise ProgramRefused(UNAUTHORIZED, "this token is unknown, expired or revoked")
    # The same for a clinic that there is not: nobody learns which there are.
    if namespace != f"{NAMESPACE_PREFIX}{holder.clinic_slug}":
        raise ProgramRefused(WRONG_CLINIC, "this token is not of that clinic")
    return holder
