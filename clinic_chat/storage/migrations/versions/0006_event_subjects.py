"""events are about subjects of any kind, not about conversations alone"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BEFORE = "ix_events_clinic_id_conversation_id_conversation_version"
AFTER = "ix_events_clinic_id_subject_id_subject_version"


def upgrade() -> None:
    op.drop_index(op.f(BEFORE), table_name="events")
    op.add_column(
        "events",
        sa.Column(
            "subject_kind", sa.String(length=20), nullable=False, server_default="conversation"
        ),
    )
    # Not in a batch, which would copy the log.
    op.execute("ALTER TABLE events RENAME COLUMN conversation_id TO subject_id")
    op.execute("ALTER TABLE events RENAME COLUMN conversation_version TO subject_version")
    op.create_index(op.f(AFTER), "events", ["clinic_id", "subject_id", "subject_version"])


def downgrade() -> None:
    op.execute("DELETE FROM events WHERE subject_kind <> 'conversation'")
    op.drop_index(op.f(AFTER), table_name="events")
    op.execute("ALTER TABLE events RENAME COLUMN subject_version TO conversation_version")
    op.execute("ALTER TABLE events RENAME COLUMN subject_id TO conversation_id")
    op.drop_column("events", "subject_kind")
    op.create_index(
        op.f(BEFORE), "events", ["clinic_id", "conversation_id", "conversation_version"]
    )
