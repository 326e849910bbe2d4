"""kinds, lengths and channels' times of messages; one form of numbers; names that are names"""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# A Brazilian mobile as it was written before it got its ninth digit.
WITHOUT_NINTH_DIGIT = re.compile(r"\+55([1-9]{2})([6-9][0-9]{7})")
# What was kept as a name though it names nobody: numbers, what has no glyph, a phone's own words.
NUMBER = re.compile(r"(?=(?:\D*\d){6})[\d\s+().\-/~]+")
NO_GLYPH = "\u115f\u1160\u2800\u3164\uffa0\U0001d159"
WORDS = {"unknown", "desconhecido", "whatsapp user", "usuário do whatsapp"}
PATIENTS = sa.table(
    "patients",
    sa.column("id", sa.Uuid()),
    sa.column("clinic_id", sa.Uuid()),
    *(sa.column(name, sa.String()) for name in ("name", "search_name", "phone", "phone_shown")),
)
CONVERSATIONS = sa.table(
    "conversations", sa.column("id", sa.Uuid()), sa.column("patient_id", sa.Uuid())
)
MESSAGES = sa.table(
    "messages",
    sa.column("conversation_id", sa.Uuid()),
    sa.column("direction", sa.String()),
    sa.column("author_name", sa.String()),
)


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
    _forget_placeholders()


def _give_numbers_one_form() -> None:
    """Two records of one number stay two: whose they are is for people to say."""
    connection = op.get_bind()
    rows = connection.execute(
        sa.select(PATIENTS.c.id, PATIENTS.c.clinic_id, PATIENTS.c.phone).where(
            PATIENTS.c.phone.like("+55%")
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
                sa.update(PATIENTS)
                .where(PATIENTS.c.id == row.id)
                .values(phone=number, phone_shown=row.phone)
            )


def _forget_placeholders() -> None:
    """Whoever was called by a number, or by nothing one can see, has no name yet."""
    connection = op.get_bind()
    rows = connection.execute(
        sa.select(PATIENTS.c.id, PATIENTS.c.name).where(PATIENTS.c.phone.is_not(None))
    ).all()
    for row in rows:
        if _names_somebody(row.name):
            continue
        connection.execute(
            sa.update(PATIENTS).where(PATIENTS.c.id == row.id).values(name="", search_name="")
        )
        theirs = sa.select(CONVERSATIONS.c.id).where(CONVERSATIONS.c.patient_id == row.id)
        connection.execute(
            sa.update(MESSAGES)
            .where(
                MESSAGES.c.conversation_id.in_(theirs),
                MESSAGES.c.direction == "inbound",
                MESSAGES.c.author_name == row.name,
            )
            .values(author_name="")
        )


def _names_somebody(name: str) -> bool:
    if NUMBER.fullmatch(name) or name.lower() in WORDS:
        return False
    categories = {unicodedata.category(c) for c in name if c not in NO_GLYPH}
    return any(category[0] in "LN" or category in {"So", "Cn"} for category in categories)


def downgrade() -> None:
    op.drop_column("patients", "phone_shown")
    op.drop_column("patients", "other_names")
    op.drop_column("conversations", "preview_kind")
    for column in ("sent_at", "body_length", "kind"):
        op.drop_column("messages", column)
