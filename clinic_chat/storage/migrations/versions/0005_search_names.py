"""names are searched by the new rule: look-alikes, invisible characters, words without marks"""

import sqlalchemy as sa
from alembic import op

from clinic_chat.folding import search_key

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LIMIT = 400
BATCH = 1_000

_patients = sa.table(
    "patients",
    sa.column("id", sa.Uuid()),
    sa.column("name", sa.String()),
    sa.column("search_name", sa.String()),
)


def upgrade() -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.select(_patients.c.id, _patients.c.name, _patients.c.search_name))
    changed = [
        {"row": row.id, "folded": search_key(row.name)[:LIMIT]}
        for row in rows
        if search_key(row.name)[:LIMIT] != row.search_name
    ]
    update = (
        _patients.update()
        .where(_patients.c.id == sa.bindparam("row", type_=sa.Uuid()))
        .values(search_name=sa.bindparam("folded"))
    )
    for start in range(0, len(changed), BATCH):
        connection.execute(update, changed[start : start + BATCH])


def downgrade() -> None:
    """Nothing: what the older rule finds is found in the newer form as well."""
