"""The bodies of deliveries to webhooks: events as programs get them (`domain/public_api`)."""

from uuid import UUID

import orjson

from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.conversations.views import iso
from clinic_chat.domain.events.log import CommittedEvent, Subject, SubjectKind
from clinic_chat.domain.public_api.events import public_events
from clinic_chat.domain.webhooks.delivery import WebhookDelivery


async def bodies_of(
    scope: ClinicScope, deliveries: list[WebhookDelivery]
) -> dict[UUID, str | None]:
    """The JSON of each delivery, by its id; None for one that has nothing to say.

    Nothing is said of a message that was deleted, or when nothing changed that programs see.
    """
    bodies: dict[UUID, str | None] = {row.id: row.body for row in deliveries}
    new = [row for row in deliveries if row.body is None]
    events = {row.event_seq: _event(scope, row) for row in new}
    if not events:
        return bodies
    told = await public_events(scope, [events[seq] for seq in sorted(events)])
    data = {(one.seq, str(one.type)): one.data for one in told}
    for row in new:
        found = data.get((row.event_seq, row.type))
        if found is not None:
            content = {"type": row.type, "timestamp": iso(row.event_at), "data": found}
            bodies[row.id] = orjson.dumps(content).decode()
    return bodies


def _event(scope: ClinicScope, row: WebhookDelivery) -> CommittedEvent:
    return CommittedEvent(
        scope.clinic_id,
        row.event_seq,
        row.event_type,
        Subject(SubjectKind.CONVERSATION, row.conversation_id, row.event_version),
        row.event_payload,
        row.event_at,
    )
