"""hours and retention of a clinic, and how many wrong codes a person gave in a row"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clinics", sa.Column("business_hours", sa.JSON(), nullable=True))
    op.add_column(
        "clinics", sa.Column("retention_months", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("clinics", sa.Column("retention_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "second_factors", sa.Column("wrong_codes", sa.Integer(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    with op.batch_alter_table("second_factors") as factors:
        factors.drop_column("wrong_codes")
    with op.batch_alter_table("clinics") as clinics:
        for name in ("retention_from", "retention_months", "business_hours"):
            clinics.drop_column(name)
