"""Sending messages: stores each answer of the clinic once, several in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from clinic_chat.domain.accounts.permissions import Permission, require
from clinic_chat.domain.accounts.users import User
from clinic_chat.domain.clinics.actors import SYSTEM, StaffActor, TokenActor
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.conversation import conversation_id, load_rows
from clinic_chat.domain.errors import Forbidden, NotFound
from clinic_chat.domain.messages.appending import append_message
from clinic_chat.domain.messages.message import Direction, Message
from clinic_chat.domain.messages.views import StoredMessage, staff_message
from clinic_chat.domain.validation import valid_body, valid_key
from clinic_chat.metrics.messages import SENDS
from clinic_chat.storage.batching import Batcher
from clinic_chat.storage.database import Database
from clinic_chat.storage.statements import ON_EVENT_LOOP


@dataclass(frozen=True)
class Answer:
    """A message from the clinic; `key` is the idempotency key that the author's client chose."""

    author: StaffActor | TokenActor
    conversation: UUID
    body: str
    key: str

    @property
    def user_id(self) -> UUID | None:
        """The staff member who wrote it, None for a program."""
        return self.author.user_id if isinstance(self.author, StaffActor) else None

    @property
    def origin(self) -> str:
        """The source of the key."""
        if isinstance(self.author, StaffActor):
            return f"staff:{self.author.user_id}"
        return f"token:{self.author.token_id}"


class Sends:
    """The send queue of a process; answers that wait for the batch before are stored together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batcher: Batcher[Answer, StoredMessage] = Batcher(SENDS, self._store)

    async def send(
        self, scope: ClinicScope, conversation: object, body: object, client_id: object
    ) -> StoredMessage:
        """Store an answer of a staff member or a program once, however often it is sent.

        The same `client_id` from the same author returns the message it made the first time,
        without an expiry. When this returns, the message is durable.

        Raises:
            Forbidden: the actor may not send messages.
            NotFound: the conversation is unknown, malformed or another clinic's.
            InvalidInput: `clientId_invalid` or a rule of `valid_body`.
            StorageUnavailable: nothing was stored, try again.
        """
        answer = _checked(scope, conversation, body, client_id)
        return await self._batcher.submit(scope.clinic_id, answer)

    def waiting(self) -> tuple[int, float]:
        """How many wait to be stored, and for how many seconds the first of them has."""
        return self._batcher.waiting()

    async def _store(
        self, clinic_id: UUID, answers: list[Answer]
    ) -> list[StoredMessage | Exception]:
        scope = ClinicScope(self._database, clinic_id, SYSTEM)
        found = await scope.transact(lambda session: _store(session, answers))
        return [stored or NotFound("no such conversation") for stored in found]


def _checked(scope: ClinicScope, conversation: object, body: object, client_id: object) -> Answer:
    require(scope, Permission.SEND_MESSAGES)
    if not isinstance(scope.actor, (StaffActor, TokenActor)):
        raise Forbidden("this needs a staff member or a program")
    text = valid_body(body)
    key = valid_key(client_id, "clientId")
    return Answer(scope.actor, conversation_id(conversation), text, key)


def _store(session: Session, answers: Sequence[Answer]) -> list[StoredMessage | None]:
    """Store the answers in the caller's transaction; None for each without a conversation."""
    places = load_rows(session, {answer.conversation for answer in answers})
    keys = {
        "origins": list({answer.origin for answer in answers}),
        "keys": list({answer.key for answer in answers}),
    }
    known = {(row.origin, row.client_id): row for row in session.scalars(_KNOWN, keys)}
    authors = {"ids": list({answer.user_id for answer in answers if answer.user_id})}
    names: dict[UUID | None, str] = {r.id: r.name for r in session.execute(_NAMES, authors)}
    found: list[tuple[Message, bool] | None] = []
    for answer in answers:
        place = places.get(answer.conversation)
        message = known.get((answer.origin, answer.key))
        if place is None:
            found.append(None)
        elif message is not None:
            found.append((message, False))
        else:
            conversation, context = place
            message = known[answer.origin, answer.key] = append_message(
                session,
                conversation,
                direction=Direction.OUTBOUND,
                author_id=answer.user_id,
                author_name=(
                    answer.author.name
                    if isinstance(answer.author, TokenActor)
                    else names[answer.user_id]
                ),
                body=answer.body,
                origin=answer.origin,
                client_id=answer.key,
                context=context,
            )
            found.append((message, True))
    session.flush()
    return [item and StoredMessage(staff_message(item[0]), created=item[1]) for item in found]


_KNOWN = (
    select(Message)
    .where(
        Message.origin.in_(bindparam("origins", expanding=True)),
        Message.client_id.in_(bindparam("keys", expanding=True)),
    )
    .execution_options(**ON_EVENT_LOOP)
)
_NAMES = (
    select(User.id, User.name)
    .where(User.id.in_(bindparam("ids", expanding=True)))
    .execution_options(**ON_EVENT_LOOP)
)
