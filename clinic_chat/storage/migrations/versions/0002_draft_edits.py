"""which edit of which device a draft is"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("drafts", sa.Column("device", sa.String(length=200), nullable=True))
    op.add_column("drafts", sa.Column("edit", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("drafts") as drafts:
        drafts.drop_column("edit")
        drafts.drop_column("device")
