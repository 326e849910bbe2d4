"""Whether what is numbered has no holes, and what is counted agrees with the rows."""

from sqlalchemy import Connection, and_, case, func, or_, select

from clinic_chat.doctor.finding import Finding, judged
from clinic_chat.domain.accounts.users import Membership
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.conversations.conversation import Conversation
from clinic_chat.domain.conversations.read_marker import ReadMarker
from clinic_chat.domain.events.log import Event, EventType, SubjectKind
from clinic_chat.domain.events.readers import LogReader
from clinic_chat.domain.messages.message import Direction, Message

# So many problems of a kind are looked for; more would say nothing new.
MOST = 1_000


def check_log(connection: Connection) -> Finding:
    """Whether each clinic's events have no holes, up to the number that the clinic has.

    The oldest ones may have been deleted, the newest one never.
    """
    found = (
        select(
            Event.clinic_id,
            func.count().label("events"),
            func.min(Event.seq).label("first"),
            func.max(Event.seq).label("last"),
        )
        .group_by(Event.clinic_id)
        .subquery()
    )
    events, last = func.coalesce(found.c.events, 0), func.coalesce(found.c.last, 0)
    rows = connection.execute(
        select(Clinic.slug, Clinic.last_event_seq, events.label("events"), last.label("last"))
        .outerjoin(found, found.c.clinic_id == Clinic.id)
        .where(or_(events != last - found.c.first + 1, last != Clinic.last_event_seq))
        .limit(MOST)
    )
    problems = [
        f"clinic {row.slug}: {row.events} events, numbered up to {row.last}, "
        f"and the clinic says {row.last_event_seq}"
        for row in rows
    ]
    return judged("log", problems, "every clinic's events are numbered without holes")


def check_messages(connection: Connection) -> Finding:
    """Whether each conversation's messages have no holes, and its counters agree with them."""
    found = (
        select(
            Message.conversation_id,
            func.count().label("messages"),
            func.min(Message.seq).label("first"),
            func.max(Message.seq).label("last"),
            func.sum(case((Message.direction == Direction.INBOUND, 1), else_=0)).label("inbound"),
        )
        .group_by(Message.conversation_id)
        .subquery()
    )
    messages, last, inbound = (
        func.coalesce(found.c[name], 0) for name in ("messages", "last", "inbound")
    )
    rows = connection.execute(
        select(
            Conversation.id,
            Conversation.last_seq,
            Conversation.inbound_count,
            messages.label("messages"),
            last.label("last"),
            inbound.label("inbound"),
        )
        .outerjoin(found, found.c.conversation_id == Conversation.id)
        .where(
            or_(
                messages != Conversation.last_seq,
                last != Conversation.last_seq,
                found.c.first != 1,
                inbound != Conversation.inbound_count,
            )
        )
        .limit(MOST)
    )
    problems = [
        f"conversation {row.id}: {row.messages} messages, numbered up to {row.last}, {row.inbound} "
        f"of them the patient's; it says {row.last_seq} and {row.inbound_count}"
        for row in rows
    ]
    return judged("messages", problems, "every conversation has the messages that it counts")


def check_versions(connection: Connection) -> Finding:
    """Whether each conversation's events have no holes, up to its version."""
    found = (
        select(
            Event.subject_id,
            func.count().label("events"),
            func.min(Event.subject_version).label("first"),
            func.max(Event.subject_version).label("last"),
            func.sum(case((Event.type == EventType.CONVERSATION_DELETED, 1), else_=0)).label(
                "deletions"
            ),
        )
        .where(Event.subject_kind == SubjectKind.CONVERSATION)
        .group_by(Event.subject_id)
        .subquery()
    )
    events, last = func.coalesce(found.c.events, 0), func.coalesce(found.c.last, 0)
    rows = connection.execute(
        select(Conversation.id, Conversation.version, events.label("events"), last.label("last"))
        .outerjoin(found, found.c.subject_id == Conversation.id)
        # Of those whose events were all deleted nothing can be said.
        .where(
            found.c.last.is_not(None),
            or_(events != last - found.c.first + 1, last != Conversation.version),
        )
        .limit(MOST)
    )
    problems = [
        f"conversation {row.id}: {row.events} events, up to version {row.last}, "
        f"it says {row.version}"
        for row in rows
    ]
    lost = connection.execute(
        select(func.count())
        .select_from(found)
        .outerjoin(Conversation, Conversation.id == found.c.subject_id)
        .where(Conversation.id.is_(None), found.c.deletions == 0)
    ).scalar()
    if lost:
        problems.append(f"events of {lost} conversations that are not there")
    return judged("versions", problems, "every conversation has the events that it counts")


def check_read_markers(connection: Connection) -> Finding:
    """Whether what people have read is there, and counted as it is."""
    inbound = (
        select(func.count())
        .where(
            Message.conversation_id == ReadMarker.conversation_id,
            Message.direction == Direction.INBOUND,
            Message.seq <= ReadMarker.seq,
        )
        .correlate(ReadMarker)
        .scalar_subquery()
    )
    rows = connection.execute(
        select(
            ReadMarker.conversation_id,
            ReadMarker.seq,
            ReadMarker.inbound_read,
            Conversation.last_seq,
            inbound.label("inbound"),
        )
        .join(Conversation, Conversation.id == ReadMarker.conversation_id)
        .where(or_(ReadMarker.seq > Conversation.last_seq, ReadMarker.inbound_read != inbound))
        .limit(MOST)
    )
    problems = [
        f"conversation {row.conversation_id}: read up to {row.seq} of {row.last_seq}, "
        f"{row.inbound_read} of the patient's where {row.inbound} are"
        for row in rows
    ]
    ahead = connection.execute(
        select(ReadMarker.user_id, func.max(ReadMarker.version).label("last"))
        .join(
            Membership,
            and_(
                Membership.user_id == ReadMarker.user_id,
                Membership.clinic_id == ReadMarker.clinic_id,
            ),
        )
        .where(ReadMarker.version > Membership.personal_version)
        .group_by(ReadMarker.user_id, ReadMarker.clinic_id)
        .limit(MOST)
    )
    problems += [f"person {row.user_id}: a marker of version {row.last}, of later" for row in ahead]
    return judged("read markers", problems, "what people have read agrees with the messages")


def check_readers(connection: Connection) -> Finding:
    """Whether no durable reader has taken events that are not there."""
    rows = connection.execute(
        select(Clinic.slug, Clinic.last_event_seq, LogReader.name, LogReader.cursor)
        .join(Clinic, Clinic.id == LogReader.clinic_id)
        .where(or_(LogReader.cursor > Clinic.last_event_seq, LogReader.cursor < 0))
        .limit(MOST)
    )
    problems = [
        f"clinic {row.slug}: {row.name} has taken {row.cursor} events of {row.last_event_seq}"
        for row in rows
    ]
    return judged("readers", problems, "no reader of the log is ahead of it")


NUMBERING = (check_log, check_messages, check_versions, check_read_markers, check_readers)
