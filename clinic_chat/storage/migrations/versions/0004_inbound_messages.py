"""kinds, lengths and channels' times of messages; one form of a phone number; other names"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None

# A Brazilian mobile as it was written before it got its ninth digit.
WITHOUT_NINTH_DIGIT = re.compile(r"\+55([1-9]{2})([6-9][0-9]{7})")


def upgrade() -> None:
    op.add_column(
        "messages", sa.Column("kind", sa.String(length=20), nullable=False, server_default="text")
    )
    op.add_column("messages", sa.Column("body_length", sa.BigInteger(), nullable=True))
    op.add_column("messages", sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "conversations",
        sa.Column("preview_kind", sa.String(length=20), nullable=False, server_default="text"),
    )
    op.add_column("patients", sa.Column("other_names", sa.Text(), nullable=True))
    op.add_column("patients", sa.Column("phone_shown", sa.String(length=64), nullable=True))
    _give_numbers_one_form()


def _give_numbers_one_form() -> None:
    """Two records of one number stay two: whose they are is for people to say."""
    patients = sa.table(
        "patients",
        sa.column("id", sa.Uuid()),
        sa.column("clinic_id", sa.Uuid()),
        sa.column("phone", sa.String()),
        sa.column("phone_shown", sa.String()),
    )
    connection = op.get_bind()
    rows = connection.execute(
        sa.select(patients.c.id, patients.c.clinic_id, patients.c.phone).where(
            patients.c.phone.like("+55%")
        )
    ).all()
    taken = {(row.clinic_id, row.phone) for row in rows}
    for row in rows:
        match = WITHOUT_NINTH_DIGIT.fullmatch(row.phone)
        if match is None:
            continue
        number = f"+55{match[1]}9{match[2]}"
        if (row.clinic_id, number) not in taken:
            connection.execute(
                sa.update(patients)
                .where(patients.c.id == row.id)
                .values(phone=number, phone_shown=row.phone)
            )


def downgrade() -> None:
    op.drop_column("patients", "phone_shown")
    op.drop_column("patients", "other_names")
    op.drop_column("conversations", "preview_kind")
    for column in ("sent_at", "body_length", "kind"):
        op.drop_column("messages", column)
