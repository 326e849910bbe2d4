"""A receiver of events on this machine, and the server's side that sends to it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from standardwebhooks import Webhook as Verifier

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.webhooks.settings import create_webhook
from clinic_chat.domain.webhooks.webhook import EVENT_TYPES, webhook_seal
from clinic_chat.outbound.client import Outbound
from clinic_chat.settings import Settings
from clinic_chat.storage.database import Database
from clinic_chat.workers.log_worker import LogWorker
from clinic_chat.workers.readers import READERS
from clinic_chat.workers.webhook_worker import WebhookWorker
from tests.conftest import TEST_KEY
from tests.support.provider.certificates import ADDRESS, certificates
from tests.support.provider.https_server import Answer, Asked, HttpsServer

WEBHOOKS = next(reader for reader in READERS if reader.name == "webhooks")
SEAL = webhook_seal(TEST_KEY.encode())
CA_FILE = certificates().ca_file


@dataclass(frozen=True)
class Event:
    """An event as it arrived."""

    id: str
    type: str
    conversation: str
    seq: int
    data: dict[str, Any]
    body: bytes
    headers: dict[str, str]


@dataclass
class Receiver:
    """Answers as `answer` says, and keeps what it took: what it answered with 2xx."""

    answer: Callable[[Asked], int] = lambda _: 200
    headers: dict[str, str] = field(default_factory=dict)
    taken: list[Event] = field(default_factory=list)
    refused: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = HttpsServer(self._answer)

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.server.__exit__(*error)

    @property
    def url(self) -> str:
        return f"{self.server.origin}/events"

    def of(self, conversation: str) -> list[int]:
        """The numbers of the events of a conversation, as they were taken."""
        return [event.seq for event in self.taken if event.conversation == conversation]

    def _answer(self, asked: Asked) -> Answer:
        status = self.answer(asked)
        (self.taken if 200 <= status < 300 else self.refused).append(event_in(asked))
        return Answer(b"thank you", status, self.headers)


def event_in(asked: Asked) -> Event:
    """The event of a request; whether it is genuine, `verified` says."""
    content = json.loads(asked.body)
    data = content["data"]
    headers = {name.lower(): value for name, value in asked.headers.items()}
    return Event(
        headers["webhook-id"],
        content["type"],
        data.get("conversationId", ""),
        data.get("seq", 0),
        data,
        asked.body,
        headers,
    )


def verified(secret: str, event: Event) -> Any:
    """The content of an event that is signed with the secret.

    Raises:
        WebhookVerificationError: it is not.
    """
    return Verifier(secret).verify(event.body, event.headers)


def allowing() -> Outbound:
    """Believes the tests' authority, and may ask this machine."""
    return Outbound([ADDRESS], CA_FILE)


@dataclass
class Sending:
    """The workers of a process, which a test has look when it wants."""

    database: Database
    log: LogWorker = field(init=False)
    worker: WebhookWorker = field(init=False)

    def __post_init__(self) -> None:
        settings = Settings(
            database_url=self.database.url,
            secret_key=TEST_KEY,
            outbound_private_hosts=[ADDRESS],
            outbound_ca_file=CA_FILE,
        )
        self.log = LogWorker(self.database, (WEBHOOKS,))
        self.worker = WebhookWorker(self.database, settings)
        self.log.on_taken(WEBHOOKS.name, self.worker.wake)

    async def queue(self) -> None:
        """Queue what the log has."""
        await self.log.catch_up(WEBHOOKS)

    async def send_all(self) -> None:
        """Queue what the log has, and send until nothing is due."""
        await self.queue()
        while True:
            await self.worker.look()
            if not await self.worker.settled():
                return


async def subscribed(
    scope: ClinicScope, url: str, event_types: tuple[str, ...] = EVENT_TYPES
) -> tuple[str, str]:
    """The id and the secret of a new webhook."""
    new = await create_webhook(scope, SEAL, allowing(), url, event_types)
    return new.webhook.id, new.secret


async def write(scope: ClinicScope, patient: int, number: int) -> str:
    """A patient's message; the id of the conversation."""
    stored = await receive_message(
        scope,
        name=f"Paula {patient}",
        phone=f"+55119876{patient:05}",
        body=f"Oi {number}",
        external_id=f"{patient}-{number}",
    )
    return str(stored.message.conversation_id)
