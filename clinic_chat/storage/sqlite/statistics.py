"""SQLite's statistics: fixed ones, so that a statement goes by the same index in every clinic.

Without statistics SQLite takes it that a clinic has ten conversations, and reads all of them for
want of anything better. Its own (ANALYZE) are of the day on which they were made. These say that
one clinic has nearly everything (https://sqlite.org/lang_analyze.html, "Fixed results").
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, text

ROWS = 1_000_000
# How many values there are of what is not the rows' own: one clinic may have all the rows, and so
# many of them one status that an index of it is no shorter way to the newest.
VALUES = {"clinic_id": 1, "status": 2, "assignee_id": 3, "user_id": 10, "channel": 3, "kind": 4}
# Of these a clinic has some for each of its staff.
OF_STAFF = {"memberships", "conversation_totals"}
ROWS_OF_STAFF, CLINICS = 10_000, 100
OWN = 100_000
"""How many values another column has: a conversation has many messages, but few of them."""

_INDEXES = text(
    'SELECT t.name AS its_table, i.name AS its_name, i."unique" AS is_unique,'
    # Where rows have no number, the primary key goes by its table's name.
    " CASE WHEN t.wr AND i.origin = 'pk' THEN t.name ELSE i.name END AS known_as"
    " FROM pragma_table_list AS t, pragma_index_list(t.name) AS i"
    " WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite~_%' ESCAPE '~'"
    " ORDER BY its_table, known_as"
)
_COLUMNS = text("SELECT name FROM pragma_index_info(:name) ORDER BY seqno")
_STORED = text("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY tbl, idx")


def fix_statistics(connection: Connection) -> None:
    """Store the statistics of every index, unless they are there already."""
    wanted = [
        (row.its_table, row.known_as, _statistic(row, _columns(connection, row.its_name)))
        for row in connection.execute(_INDEXES).all()
    ]
    has_table = connection.execute(
        text("SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat1'")
    ).scalar()
    if has_table and [tuple(row) for row in connection.execute(_STORED)] == wanted:
        return
    # It makes the table, which no other command may.
    connection.execute(text("ANALYZE sqlite_schema"))
    connection.execute(text("DELETE FROM sqlite_stat1"))
    connection.execute(
        text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (:table, :index, :stat)"),
        [dict(zip(("table", "index", "stat"), row, strict=True)) for row in wanted],
    )


def _columns(connection: Connection, index: str) -> list[str]:
    return list(connection.execute(_COLUMNS, {"name": index}).scalars())


def _statistic(index: Any, columns: Iterable[str]) -> str:
    """The number of rows, and of those with the same first column, first two columns, …"""
    of_staff = index.its_table in OF_STAFF
    rows, values = (ROWS_OF_STAFF, CLINICS) if of_staff else (ROWS, 1)
    numbers = [rows]
    for column in columns:
        values *= VALUES.get(column, OWN)
        numbers.append(max(1, rows // values))
    if index.is_unique:
        numbers[-1] = 1
    return " ".join(map(str, numbers))
