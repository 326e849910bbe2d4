"""how patients are reached has a table; names lose characters that turn a line around"""

import re
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from clinic_chat.folding import search_key
from clinic_chat.storage.base import new_id

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BATCH = 1_000
SEARCH_NAME_LIMIT = 400
KEPT_AS_ADDRESS = "address:"
# Directions, marks of direction and what has no width: a name with them looks like another one.
UNSEEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]")

_patients = sa.table(
    "patients",
    *(sa.column(name, sa.Uuid()) for name in ("id", "clinic_id")),
    *(sa.column(name, sa.String()) for name in ("name", "search_name", "other_names")),
    *(sa.column(name, sa.String()) for name in ("phone", "phone_shown", "source_key")),
    sa.column("search_phones", sa.String()),
    sa.column("created_at", sa.DateTime(timezone=True)),
)
_messages = sa.table(
    "messages",
    sa.column("id", sa.Uuid()),
    sa.column("direction", sa.String()),
    sa.column("author_name", sa.String()),
)


def upgrade() -> None:
    identities = op.create_table(
        "patient_identities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("shown", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_id"],
            ["patients.id"],
            name=op.f("fk_patient_identities_patient_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id"],
            ["clinics.id"],
            name=op.f("fk_patient_identities_clinic_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_identities")),
        sa.UniqueConstraint(
            "clinic_id", "kind", "value", name=op.f("uq_patient_identities_clinic_id_kind_value")
        ),
    )
    op.create_index(
        op.f("ix_patient_identities_patient_id_kind"), "patient_identities", ["patient_id", "kind"]
    )
    op.add_column("patients", sa.Column("search_phones", sa.Text(), nullable=True))
    connection = op.get_bind()
    rows = connection.execute(sa.select(_patients)).all()
    found = [identity for row in rows for identity in _identities(row)]
    for start in range(0, len(found), BATCH):
        connection.execute(identities.insert(), found[start : start + BATCH])
    connection.execute(
        sa.update(_patients).values(
            search_phones=_patients.c.phone,
            phone_shown=sa.func.coalesce(_patients.c.phone_shown, _patients.c.phone),
        )
    )
    _clean_names(connection, rows)
    _clean_authors(connection)
    with op.batch_alter_table("patients") as patients:
        patients.drop_constraint(op.f("uq_patients_clinic_id_phone"), type_="unique")
        patients.drop_constraint(op.f("uq_patients_clinic_id_source_key"), type_="unique")
        patients.drop_column("phone")
        patients.drop_column("source_key")


def _identities(row: Any) -> list[dict[str, object]]:
    common = {"patient_id": row.id, "clinic_id": row.clinic_id, "created_at": row.created_at}
    named = []
    if row.phone is not None:
        named.append(("phone", row.phone, row.phone_shown or row.phone))
    if row.source_key is not None:
        address = row.source_key.removeprefix(KEPT_AS_ADDRESS)
        kind = "address" if address != row.source_key else "import"
        named.append((kind, address, row.phone_shown or ""))
    return [
        {"id": new_id(), "kind": kind, "value": value, "shown": shown, **common}
        for kind, value, shown in named
    ]


def _clean_names(connection: sa.Connection, rows: Iterable[Any]) -> None:
    for row in rows:
        names = [row.name, *(row.other_names or "").splitlines()]
        cleaned = [" ".join(UNSEEN.sub("", name).split()) for name in names]
        if cleaned == names:
            continue
        name, *others = cleaned
        connection.execute(
            sa.update(_patients)
            .where(_patients.c.id == row.id)
            .values(
                name=name,
                other_names="\n".join(filter(None, others)) or None,
                search_name=search_key(" ".join(cleaned))[:SEARCH_NAME_LIMIT],
            )
        )


def _clean_authors(connection: sa.Connection) -> None:
    named = sa.select(_messages.c.author_name).where(_messages.c.direction == "inbound").distinct()
    for name in connection.scalars(named).all():
        cleaned = " ".join(UNSEEN.sub("", name).split())
        if cleaned != name:
            connection.execute(
                sa.update(_messages)
                .where(_messages.c.author_name == name, _messages.c.direction == "inbound")
                .values(author_name=cleaned)
            )


def downgrade() -> None:
    with op.batch_alter_table("patients") as patients:
        patients.add_column(sa.Column("phone", sa.String(length=16), nullable=True))
        patients.add_column(sa.Column("source_key", sa.String(length=200), nullable=True))
        patients.create_unique_constraint(
            op.f("uq_patients_clinic_id_phone"), ["clinic_id", "phone"]
        )
        patients.create_unique_constraint(
            op.f("uq_patients_clinic_id_source_key"), ["clinic_id", "source_key"]
        )
    connection = op.get_bind()
    identities = sa.table(
        "patient_identities",
        sa.column("patient_id", sa.Uuid()),
        *(sa.column(name, sa.String()) for name in ("kind", "value")),
    )
    for row in connection.execute(sa.select(identities)).all():
        match row.kind:
            case "phone":
                values = {"phone": row.value}
            case "address":
                values = {"source_key": KEPT_AS_ADDRESS + row.value}
            case "import":
                values = {"source_key": row.value}
            case _:
                continue
        _give_back(connection, row.patient_id, values)
    op.drop_column("patients", "search_phones")
    op.drop_table("patient_identities")


def _give_back(connection: sa.Connection, patient_id: UUID, values: dict[str, str]) -> None:
    connection.execute(sa.update(_patients).where(_patients.c.id == patient_id).values(**values))
