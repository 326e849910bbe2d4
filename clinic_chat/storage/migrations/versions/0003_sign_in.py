"""when a session's password was checked, and who may not sign in any more"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("deactivated_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sessions", sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE sessions SET signed_in_at = created_at")
    with op.batch_alter_table("sessions") as sessions:
        sessions.alter_column(
            "signed_in_at", existing_type=sa.DateTime(timezone=True), nullable=False
        )


def downgrade() -> None:
    with op.batch_alter_table("sessions") as sessions:
        sessions.drop_column("signed_in_at")
    with op.batch_alter_table("users") as users:
        users.drop_column("deactivated_at")
