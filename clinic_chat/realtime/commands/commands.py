"""What a tab asks for over its socket and gets an answer to.

Each act answers `{"ok": true, …}` or `{"error": {"code", "message"}}`; one that writes is
answered after its commit, so what is acknowledged is durable. One whose `author` is not the
session's is refused: it waited in a tab while somebody else signed in.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from time import monotonic
from typing import Any
from uuid import UUID

import structlog

from clinic_chat.domain.accounts.preferences import save_preferences
from clinic_chat.domain.conversations.assignment import AlreadyTaken, assign, set_status
from clinic_chat.domain.conversations.conversation import conversation_id
from clinic_chat.domain.errors import DomainError, InvalidInput, RateLimited
from clinic_chat.domain.messages.drafts import save_draft
from clinic_chat.domain.messages.read_markers import (
    mark_read,
    mark_unread,
    personal_version,
    read_markers_in,
)
from clinic_chat.domain.messages.sending import Sends
from clinic_chat.domain.queries.inbox import overview
from clinic_chat.domain.queries.message_pages import whole_body
from clinic_chat.rate_limits import Limits
from clinic_chat.realtime.connections import Connection, Connections
from clinic_chat.realtime.feeds import inbox as inbox_feed
from clinic_chat.realtime.feeds import thread as thread_feed
from clinic_chat.realtime.feeds.subscriptions import Subscriptions
from clinic_chat.realtime.identity import WRONG_AUTHOR, names_another
from clinic_chat.realtime.presence.activity import Activity
from clinic_chat.refusals import count_refusal
from clinic_chat.services import Services
from clinic_chat.shutdown import Work
from clinic_chat.storage.database import StorageUnavailable

Data = dict[str, Any]
Handler = Callable[[Connection, Data], Awaitable[Data]]

# What only a person does. The others a tab asks for by itself as well, while nobody is there.
BY_A_PERSON = frozenset(
    {
        "message:send",
        "conversation:unread",
        "conversation:status",
        "conversation:assign",
        "draft:save",
        "account:preferences",
        "typing:start",
    }
)
MARKERS_AT_ONCE = 200
ACTS_PER_MINUTE = 1200

log = structlog.get_logger(__name__)


class Commands:
    """The acts by their Socket.IO event names."""

    def __init__(
        self,
        callers: Connections,
        subscriptions: Subscriptions,
        activity: Activity,
        services: Services,
        work: Work,
    ) -> None:
        self._callers = callers
        self._subscriptions = subscriptions
        self._activity = activity
        self._work = work
        self._limits: Limits = services.limits
        self._sends = Sends(services.database)
        self._sends_per_minute = services.settings.sends_per_minute

    def by_name(self) -> dict[str, Callable[..., Awaitable[Data]]]:
        """Event name → handler for python-socketio; whatever it returns is the answer."""
        handlers: dict[str, Handler] = {
            "message:send": self._send,
            "message:body": self._body,
            "message:read": self._read,
            "conversation:unread": self._unread,
            "conversation:status": self._status,
            "conversation:assign": self._assign,
            "draft:save": self._draft,
            "account:preferences": self._preferences,
            "markers:get": self._markers,
            "counts:get": self._counts,
            "feed:catch-up": self._catch_up,
            "feed:check": self._check,
            "typing:start": self._typing_start,
            "typing:stop": self._typing_stop,
            "viewing:start": self._viewing_start,
            "viewing:stop": self._viewing_stop,
        }
        return {name: self._answered(name, handler) for name, handler in handlers.items()}

    def _answered(self, name: str, handler: Handler) -> Callable[..., Awaitable[Data]]:
        async def act(sid: str, *args: Any) -> Data:
            if self._work.ending:
                return error("restarting", "the server restarts, try again")
            with self._work.piece():
                return await answer(sid, args)

        async def answer(sid: str, args: tuple[Any, ...]) -> Data:
            try:
                caller = await self._callers.live(sid)
                if caller is None:
                    return error("unauthorized", "sign in")
                if len(args) != 1 or not isinstance(args[0], dict):
                    raise InvalidInput("send one object", code="not_an_object")
                if names_another(args[0].get("author"), caller.identity):
                    count_refusal("act.wrong_author", act=name, user=caller.identity.user_id)
                    return error(WRONG_AUTHOR, "somebody else made this, or in another clinic")
                # Hundreds of idle tabs ask now and then whether they are current; a flood is
                # counted without the one in a second.
                if not caller.is_calm(monotonic()):
                    await self._limit("acts", caller, ACTS_PER_MINUTE)
                if name in BY_A_PERSON:
                    caller.note_activity()
                return {"ok": True, **await handler(caller, args[0])}
            except AlreadyTaken as taken:
                return error(taken.code, str(taken), name=taken.name)
            except DomainError as refusal:
                if refusal.code == "not_found":
                    count_refusal("act.not_found", act=name)
                return error(refusal.code, str(refusal))
            except StorageUnavailable:
                return error("storage_unavailable", "not saved, try again")
            except Exception as failure:
                log.error("act.failed", act=name, exc_info=failure)
                return error("internal", "not saved, try again")

        return act

    async def _send(self, caller: Connection, data: Data) -> Data:
        await self._limit("send", caller, self._sends_per_minute)
        stored = await self._sends.send(
            caller.scope, data.get("conversationId"), data.get("body"), data.get("clientId")
        )
        await self._activity.stop_typing(caller)
        return {"message": asdict(stored.message)}

    async def _body(self, caller: Connection, data: Data) -> Data:
        whole = await whole_body(caller.scope, data.get("conversationId"), data.get("seq"))
        return asdict(whole)

    async def _read(self, caller: Connection, data: Data) -> Data:
        read = await mark_read(caller.scope, data.get("conversationId"), data.get("seq"))
        return {"inboundRead": read}

    async def _unread(self, caller: Connection, data: Data) -> Data:
        return {"inboundRead": await mark_unread(caller.scope, data.get("conversationId"))}

    async def _status(self, caller: Connection, data: Data) -> Data:
        await set_status(caller.scope, data.get("conversationId"), data.get("status"))
        return {}

    async def _assign(self, caller: Connection, data: Data) -> Data:
        await assign(
            caller.scope,
            data.get("conversationId"),
            data.get("assigneeId"),
            data.get("expected"),
        )
        return {}

    async def _draft(self, caller: Connection, data: Data) -> Data:
        kept = await save_draft(
            caller.scope,
            data.get("conversationId"),
            data.get("body"),
            device=data.get("device"),
            edit=data.get("edit"),
        )
        return asdict(kept)

    async def _preferences(self, caller: Connection, data: Data) -> Data:
        await save_preferences(caller.scope, locale=data.get("locale"), sound=data.get("sound"))
        return {}

    async def _markers(self, caller: Connection, data: Data) -> Data:
        ids = data.get("ids")
        if not isinstance(ids, list) or len(ids) > MARKERS_AT_ONCE:
            raise InvalidInput(f"ids is a list of at most {MARKERS_AT_ONCE}", code="ids_invalid")
        wanted: list[UUID] = [conversation_id(item) for item in ids]
        async with caller.scope.read() as session:
            version = await personal_version(session, caller.scope)
            markers = await read_markers_in(session, caller.scope.staff_id(), wanted)
        return {"markers": markers, "personalVersion": version}

    async def _counts(self, caller: Connection, _data: Data) -> Data:
        return {"counts": inbox_feed.counts(await overview(caller.scope, rows=False))}

    async def _catch_up(self, caller: Connection, data: Data) -> Data:
        match data:
            case {"feed": str() as feed, "key": str() as key}:
                version, personal = _version(data.get("version")), _version(data.get("personal"))
            case _:
                raise InvalidInput("name the feed and its key", code="feed_invalid")
        if caller.feeds.get(feed) != key:
            raise InvalidInput("this tab does not follow that feed", code="feed_invalid")
        if feed == inbox_feed.FEED:
            await self._subscriptions.bring_up_inbox(caller, version, personal)
        else:
            await self._subscriptions.bring_up_conversation(caller, key, version)
        return {}

    async def _check(self, caller: Connection, data: Data) -> Data:
        await self._subscriptions.check(caller, data.get("nonce"))
        return {}

    async def _typing_start(self, caller: Connection, data: Data) -> Data:
        await self._activity.start_typing(caller, self._open_conversation(caller, data))
        return {}

    async def _typing_stop(self, caller: Connection, _data: Data) -> Data:
        await self._activity.stop_typing(caller)
        return {}

    async def _viewing_start(self, caller: Connection, data: Data) -> Data:
        await self._activity.look(caller, self._open_conversation(caller, data))
        return {}

    async def _viewing_stop(self, caller: Connection, _data: Data) -> Data:
        await self._activity.look_away(caller)
        return {}

    def _open_conversation(self, caller: Connection, data: Data) -> str:
        """The conversation this tab has open, which is the only one it can be active in."""
        key = caller.feeds.get(thread_feed.FEED)
        if key is None or key != data.get("conversationId"):
            raise InvalidInput("this tab has not opened that conversation", code="not_open")
        return key

    async def _limit(self, what: str, caller: Connection, per_minute: int) -> None:
        identity = caller.identity
        key = f"{what}:{identity.clinic_id}:{identity.user_id}"
        if await self._limits.hit("socket", key, per_minute):
            raise RateLimited("too many in a minute, wait a moment")


def _version(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | None):
        raise InvalidInput("a version is a number", code="version_invalid")
    return value


def error(code: str, message: str, **more: str) -> Data:
    """A refusal in the shape every client of this server knows."""
    return {"error": {"code": code, "message": message, **more}}
