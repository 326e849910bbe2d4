"""single sign-on: identity providers, who comes from there, how sessions were proven"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "sessions",
        sa.Column(
            "proof", sa.String(length=10), server_default=sa.text("'password'"), nullable=False
        ),
    )
    op.create_table(
        "identity_providers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("sealed_secret", sa.String(length=1000), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id"],
            ["clinics.id"],
            name=op.f("fk_identity_providers_clinic_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_providers")),
        sa.UniqueConstraint("clinic_id", name=op.f("uq_identity_providers_clinic_id")),
    )
    op.create_table(
        "provider_accounts",
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id"],
            ["clinics.id"],
            name=op.f("fk_provider_accounts_clinic_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_provider_accounts_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "clinic_id", "issuer", "subject", name=op.f("pk_provider_accounts")
        ),
        sa.UniqueConstraint(
            "clinic_id",
            "issuer",
            "user_id",
            name=op.f("uq_provider_accounts_clinic_id_issuer_user_id"),
        ),
    )
    op.create_index(op.f("ix_provider_accounts_user_id"), "provider_accounts", ["user_id"])
    op.create_table(
        "used_sign_in_states",
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("clinic_id", sa.Uuid(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id"],
            ["clinics.id"],
            name=op.f("fk_used_sign_in_states_clinic_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_used_sign_in_states")),
    )
    op.create_index(op.f("ix_used_sign_in_states_clinic_id"), "used_sign_in_states", ["clinic_id"])


def downgrade() -> None:
    op.drop_table("used_sign_in_states")
    op.drop_table("provider_accounts")
    op.drop_table("identity_providers")
    # They would be sessions like any other.
    op.execute("DELETE FROM sessions WHERE proof = 'provider'")
    op.drop_column("sessions", "proof")
