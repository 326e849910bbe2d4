"""lists, counts and searches read as much of a large clinic as of a small one"""

from itertools import groupby
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from clinic_chat.folding import indexed_words, word_parts

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BATCH = 1_000
NOBODY = UUID(int=0)
INDEXES = {
    "ix_conversations_clinic_id_status_assignee_id": (
        "conversations",
        ["clinic_id", "status", "assignee_id"],
    ),
    "ix_read_markers_conversation_id_user_id": ("read_markers", ["conversation_id", "user_id"]),
    "ix_read_markers_user_id_version": ("read_markers", ["user_id", "version"]),
}

_conversations = sa.table(
    "conversations",
    *(sa.column(name, sa.Uuid()) for name in ("id", "clinic_id", "assignee_id")),
    sa.column("status", sa.String()),
    *(sa.column(name, sa.BigInteger()) for name in ("inbound_count", "last_seq")),
)
_markers = sa.table(
    "read_markers",
    *(sa.column(name, sa.Uuid()) for name in ("clinic_id", "user_id", "conversation_id")),
    sa.column("inbound_read", sa.BigInteger()),
)
_memberships = sa.table(
    "memberships",
    *(sa.column(name, sa.Uuid()) for name in ("clinic_id", "user_id")),
    sa.column("read_counts", sa.JSON()),
)
_patients = sa.table(
    "patients",
    *(sa.column(name, sa.Uuid()) for name in ("id", "clinic_id")),
    *(sa.column(name, sa.String()) for name in ("search_name", "search_phones")),
)


def upgrade() -> None:
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)
    _count_conversations()
    _count_read()
    _index_words()


def _clinic(table: str) -> tuple[sa.Column[Any], sa.ForeignKeyConstraint]:
    return (
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id"], ["clinics.id"], name=op.f(f"fk_{table}_clinic_id"), ondelete="CASCADE"
        ),
    )


def _count_conversations() -> None:
    totals = op.create_table(
        "conversation_totals",
        *_clinic("conversation_totals"),
        sa.Column("assignee_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("conversations", sa.BigInteger(), nullable=False),
        sa.Column("written", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "clinic_id", "assignee_id", "status", name=op.f("pk_conversation_totals")
        ),
    )
    rows = _conversations.c
    assignee = sa.func.coalesce(rows.assignee_id, sa.literal(NOBODY, sa.Uuid()))
    op.get_bind().execute(
        totals.insert().from_select(
            ["clinic_id", "assignee_id", "status", "conversations", "written"],
            sa.select(
                rows.clinic_id,
                assignee.label("assignee"),
                rows.status,
                sa.func.count(),
                sa.func.sum(sa.case((rows.inbound_count > 0, 1), else_=0)),
            )
            .where(rows.last_seq > 0)
            .group_by(rows.clinic_id, sa.text("assignee"), rows.status),
        )
    )


def _count_read() -> None:
    op.add_column("memberships", sa.Column("read_counts", sa.JSON(), nullable=True))
    connection = op.get_bind()
    rows, markers = _conversations.c, _markers.c
    whose = sa.case(
        (rows.assignee_id.is_(None), "unassigned"),
        (rows.assignee_id == markers.user_id, "mine"),
        else_="others",
    )
    found = connection.execute(
        sa.select(
            markers.clinic_id,
            markers.user_id,
            whose.label("whose"),
            rows.status,
            sa.func.count().label("number"),
        )
        .select_from(_markers.join(_conversations, rows.id == markers.conversation_id))
        .where(rows.inbound_count > 0, markers.inbound_read >= rows.inbound_count)
        .group_by(markers.clinic_id, markers.user_id, sa.text("whose"), rows.status)
    )
    counts: dict[tuple[UUID, UUID], dict[str, int]] = {}
    for row in found:
        person = counts.setdefault((row.clinic_id, row.user_id), {})
        person[f"{row.whose}/{row.status}"] = row.number
    for (clinic_id, user_id), read in counts.items():
        connection.execute(
            _memberships.update()
            .where(_memberships.c.clinic_id == clinic_id, _memberships.c.user_id == user_id)
            .values(read_counts=read)
        )


def _text(length: int) -> Any:
    return sa.String(length=length).with_variant(
        sa.String(length=length, collation="C"), "postgresql"
    )


def _index_words() -> None:
    words = op.create_table(
        "patient_words",
        *_clinic("patient_words"),
        sa.Column("word", _text(32), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patients.id"],
            name=op.f("fk_patient_words_patient_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("clinic_id", "word", "patient_id", name=op.f("pk_patient_words")),
        sqlite_with_rowid=False,
    )
    parts = op.create_table(
        "word_parts",
        *_clinic("word_parts"),
        sa.Column("part", _text(16), nullable=False),
        sa.Column("word", _text(32), nullable=False),
        sa.PrimaryKeyConstraint("clinic_id", "part", "word", name=op.f("pk_word_parts")),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    last: tuple[UUID, UUID] | None = None
    clinic_id, known = None, set[str]()
    while batch := _patients_after(connection, last):
        last = batch[-1].clinic_id, batch[-1].id
        for its, rows in groupby(batch, key=lambda row: row.clinic_id):
            if its != clinic_id:
                clinic_id, known = its, set()
            found = [(row.id, word) for row in rows for word in sorted(_words(row))]
            fresh = {word for _, word in found} - known
            known |= fresh
            _insert(
                connection,
                parts,
                [
                    {"clinic_id": its, "part": part, "word": word}
                    for word in sorted(fresh)
                    for part in sorted(word_parts(word))
                ],
            )
            _insert(
                connection,
                words,
                [
                    {"clinic_id": its, "word": word, "patient_id": patient}
                    for patient, word in found
                ],
            )
    op.create_index(op.f("ix_patient_words_patient_id"), "patient_words", ["patient_id"])


def _patients_after(connection: sa.Connection, last: tuple[UUID, UUID] | None) -> Any:
    place = (_patients.c.clinic_id, _patients.c.id)
    statement = sa.select(_patients).order_by(*place).limit(BATCH)
    if last is not None:
        clinic_id, its = last
        statement = statement.where(
            sa.or_(
                _patients.c.clinic_id > clinic_id,
                sa.and_(_patients.c.clinic_id == clinic_id, _patients.c.id > its),
            )
        )
    return connection.execute(statement).all()


def _words(patient: Any) -> set[str]:
    phones = (patient.search_phones or "").replace("+", "")
    return indexed_words(patient.search_name) | indexed_words(phones)


def _insert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(table.insert(), rows)


def downgrade() -> None:
    op.drop_table("word_parts")
    op.drop_table("patient_words")
    op.drop_column("memberships", "read_counts")
    op.drop_table("conversation_totals")
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table_name=table)
