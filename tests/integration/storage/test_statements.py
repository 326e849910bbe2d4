"""Statements that run on the event loop go by index: nothing else runs while they do."""

import gc
import re
from typing import Any
from uuid import uuid4

from sqlalchemy.dialects.sqlite.aiosqlite import dialect
from sqlalchemy.sql.selectable import Select

import clinic_chat.domain.tables
import clinic_chat.realtime.server
from clinic_chat.storage.database import Database
from clinic_chat.storage.scoping import _scoped
from clinic_chat.storage.statements import ON_EVENT_LOOP_OPTION

# Imported for their statements.
MODULES = (clinic_chat.domain.tables, clinic_chat.realtime.server)
EXPANDED = re.compile(r"\(__\[POSTCOMPILE_\w+\]\)")


def on_the_event_loop() -> list[Select[Any]]:
    """Every statement with the option that a module has."""
    return [
        found
        for found in gc.get_objects()
        if isinstance(found, Select) and found.get_execution_options().get(ON_EVENT_LOOP_OPTION)
    ]


async def test_what_runs_on_the_event_loop_reads_through_no_table(database: Database) -> None:
    # As a session of a clinic runs them.
    scoped = [_scoped(statement, uuid4()) for statement in on_the_event_loop()]
    statements = {str(statement.compile(dialect=dialect())) for statement in scoped}
    assert len(statements) >= 15
    slow: list[str] = []
    async with database._reader.connect() as connection:
        for statement in sorted(statements):
            sql = EXPANDED.sub("(?, ?)", statement)
            values: tuple[Any, ...] = (None,) * sql.count("?")
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
            steps = [str(tuple(row)[-1]) for row in plan]
            if any(re.match(r"SCAN (?!CONSTANT)", step) for step in steps):
                slow.append(f"{sql}\n  {steps}")
    assert not slow, "\n\n".join(slow)
