"""State of the webhooks screen."""

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import reflex as rx

from clinic_chat.domain.accounts.second_factors.authenticator_app import Seal
from clinic_chat.domain.webhooks.deliveries import (
    list_deliveries,
    replay_parked,
    send_test_event,
)
from clinic_chat.domain.webhooks.settings import (
    change_webhook,
    create_webhook,
    delete_webhook,
    list_webhooks,
    rotate_secret,
)
from clinic_chat.domain.webhooks.webhook import EVENT_TYPES, webhook_seal
from clinic_chat.outbound.client import Outbound
from clinic_chat.realtime.gate import exposed
from clinic_chat.settings import get_settings
from clinic_chat.ui.settings.actions import acting, count_attempt, refusals, text_of

SHOWN_DELIVERIES = 20


@dataclass(frozen=True)
class WebhookRow:
    """A webhook on the screen."""

    id: str
    url: str
    description: str
    event_types: list[str]
    state: str
    pending: int
    created_at: str
    disabled_at: str
    failing_since: str
    last_attempt_at: str
    last_status: int
    last_error: str


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery on the screen."""

    id: str
    type: str
    conversation_id: str
    seq: int
    status: str
    attempts: int
    next_attempt_at: str
    last_status: int
    last_error: str
    created_at: str
    changed_at: str


class WebhookSettings(rx.State):
    """The clinic's webhooks, and the deliveries of one of them."""

    webhooks: list[WebhookRow] = []  # noqa: RUF012 - Reflex copies the default
    ready: bool = False
    error: str = ""
    """The code of what refused the last act, "" for nothing."""
    new_secret: str = ""
    """A secret that was made just now, which is shown once."""
    asked: str = ""
    """What the person is asked about: `delete` or `rotate`, and the webhook's id."""
    acted_on: str = ""
    """The webhook of the last act."""
    done: str = ""
    """What was done with it: `taken` or `refused` after a test, `replayed`, `changed`."""
    test_error: str = ""
    """Why a test was refused, a word of an attempt's outcome."""
    replayed: int = 0
    opened: str = ""
    """The webhook whose deliveries are shown."""
    deliveries: list[DeliveryRow] = []  # noqa: RUF012

    @exposed
    async def load(self) -> None:
        """Read the webhooks."""
        self._begin("")
        self.new_secret = self.opened = ""
        await self._read()

    @exposed
    async def create(self, form: dict[str, Any]) -> None:
        """Make a webhook."""
        self._begin("")
        async with refusals(self):
            new = await create_webhook(
                acting(),
                _seal(),
                _outbound(),
                text_of(form, "url"),
                [one for one in EVENT_TYPES if form.get(str(one))],
                text_of(form, "description"),
            )
            self.new_secret = new.secret
        await self._read()

    @exposed
    async def close_secret(self) -> None:
        """Forget the secret that was made just now."""
        self.new_secret = ""

    @exposed
    async def ask(self, about: str) -> None:
        """Ask before something ends; "" asks no more."""
        self.asked = str(about)

    @exposed
    async def rotate(self, webhook_id: str) -> None:
        """Make another secret."""
        self._begin(webhook_id)
        async with refusals(self):
            self.new_secret = await rotate_secret(acting(), _seal(), webhook_id)

    @exposed
    async def set_enabled(self, webhook_id: str, enabled: bool) -> None:
        """Enable or disable a webhook."""
        self._begin(webhook_id)
        async with refusals(self):
            await change_webhook(acting(), _outbound(), webhook_id, enabled=bool(enabled))
            self.done = "changed"
        await self._read()

    @exposed
    async def delete(self, webhook_id: str) -> None:
        """Delete a webhook."""
        self._begin(webhook_id)
        async with refusals(self):
            await delete_webhook(acting(), webhook_id)
        await self._read()

    @exposed
    async def send_test(self, webhook_id: str) -> None:
        """Send a test event, and say what came of it."""
        self._begin(webhook_id)
        async with refusals(self):
            count_attempt()
            outcome = await send_test_event(acting(), _seal(), _outbound(), webhook_id)
            self.test_error = outcome.error
            self.done = "refused" if outcome.error else "taken"

    @exposed
    async def replay(self, webhook_id: str) -> None:
        """Send everything again that was parked."""
        self._begin(webhook_id)
        async with refusals(self):
            self.replayed = await replay_parked(acting(), webhook_id)
            self.done = "replayed"
        await self._read()

    @exposed
    async def open(self, webhook_id: str) -> None:
        """Show a webhook's deliveries; "" shows none."""
        self._begin(webhook_id)
        self.opened = str(webhook_id)
        await self._read()

    def _begin(self, webhook_id: str) -> None:
        self.error = self.asked = self.done = self.test_error = ""
        self.acted_on = str(webhook_id)

    async def _read(self) -> None:
        async with refusals(self):
            found = await list_webhooks(acting())
            self.webhooks = [WebhookRow(**asdict(one)) for one in found]
            if self.opened not in {one.id for one in found}:
                self.opened = ""
            self.deliveries = []
            if self.opened:
                page = await list_deliveries(acting(), self.opened, limit=SHOWN_DELIVERIES)
                self.deliveries = [DeliveryRow(**asdict(one)) for one in page.deliveries]
            self.ready = True


def _seal() -> Seal:
    return webhook_seal(get_settings().signing_key())


@lru_cache(maxsize=1)
def _outbound() -> Outbound:
    settings = get_settings()
    return Outbound(settings.outbound_private_hosts, settings.outbound_ca_file)
