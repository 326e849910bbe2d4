"""patient merges are recorded; patients and conversations are listed by age"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BY_AGE = ("conversations", "patients")
MERGES = (
    ("ix_patient_merges_clinic_id_patient_id", ["clinic_id", "patient_id"]),
    ("ix_patient_merges_clinic_id_merged_at", ["clinic_id", "merged_at"]),
    ("ix_patient_merges_into_patient_id", ["into_patient_id"]),
)


def upgrade() -> None:
    for table in BY_AGE:
        op.create_index(f"ix_{table}_clinic_id_id", table, ["clinic_id", "id"])
    op.create_table(
        "patient_merges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("into_patient_id", sa.Uuid(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("actor_kind", sa.String(length=10), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id"],
            ["clinics.id"],
            name=op.f("fk_patient_merges_clinic_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["into_patient_id"],
            ["patients.id"],
            name=op.f("fk_patient_merges_into_patient_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_merges")),
    )
    for name, columns in MERGES:
        op.create_index(name, "patient_merges", columns)


def downgrade() -> None:
    op.drop_table("patient_merges")
    for table in BY_AGE:
        op.drop_index(f"ix_{table}_clinic_id_id", table_name=table)
