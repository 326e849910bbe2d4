"""What of a change is shown is the same whether its rows were at hand or are read again."""

from dataclasses import replace

from clinic_chat.domain.conversations.assignment import assign
from clinic_chat.domain.events.log import CommittedEvent, PersonalChange
from clinic_chat.domain.messages.delivery import report_status
from clinic_chat.domain.messages.receiving import receive_message
from clinic_chat.domain.queries.changes import changes_of
from clinic_chat.storage.database import Database
from tests.conftest import Clinics
from tests.support.sending import send_message


async def test_rows_at_hand_show_what_a_new_reading_shows(
    any_database: Database, clinics: Clinics
) -> None:
    recorded: list[CommittedEvent] = []

    async def listen(items: list[CommittedEvent | PersonalChange]) -> None:
        recorded.extend(item for item in items if isinstance(item, CommittedEvent))

    any_database.on_commit(listen)
    phones = ("+5511911110001", "+5511911110002")
    first, second = [
        await receive_message(
            clinics.aurora, name="Zoé", phone=phone, body="Bom dia", external_id=phone
        )
        for phone in phones
    ]
    place = first.message.conversation_id
    await assign(clinics.ana, place, str(clinics.bruno.user_id), "")
    sent = await send_message(clinics.ana, place, "Bom dia!", "key-1")
    await report_status(clinics.aurora, sent.message.id, "delivered")
    await receive_message(
        clinics.aurora, name="Zoé", phone=phones[0], body="Obrigada", external_id="again"
    )
    await report_status(clinics.aurora, sent.message.id, "read")

    at_hand = [event for event in recorded if event.rows]
    assert len(at_hand) == len(recorded) == 7
    shown = await changes_of(clinics.aurora, at_hand)
    assert shown == await changes_of(clinics.aurora, [replace(e, rows=None) for e in at_hand])
    assert [row.id for row in shown.conversations] == [place, second.message.conversation_id]
    assert shown.conversations[0].assignee_name == "Bruno Lima"
    assert [(m.seq, m.status) for m in shown.messages[place]] == [
        (1, "sent"),
        (2, "read"),
        (3, "sent"),
    ]
