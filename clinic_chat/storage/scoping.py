"""Makes forgetting the clinic impossible: every session is for one clinic or for none.

A session opened for a clinic adds `clinic_id = …` to each ORM SELECT, UPDATE and DELETE
on a `ClinicOwned` table and fills it in on INSERT. A session without a clinic refuses to
touch such a table at all, and statements the ORM cannot see through are refused in both.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.sql import visitors
from sqlalchemy.sql.schema import Table

from clinic_chat.storage.base import Base, ClinicOwned

CLINIC = "clinic_id"


class UnscopedQuery(RuntimeError):
    """Code tried to reach a clinic's rows without saying which clinic, or another clinic's."""


class ScopedSession(Session):
    """The sync session class under every AsyncSession, so the listeners cover all of them."""


def _owned_tables() -> set[str]:
    return {
        mapper.local_table.name
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, ClinicOwned) and isinstance(mapper.local_table, Table)
    }


def _touches_owned(statement: Any) -> bool:
    owned = _owned_tables()
    return any(
        isinstance(element, Table) and element.name in owned
        for element in visitors.iterate(statement)
    ) or any(table.name in owned for table in _dml_tables(statement))


def _dml_tables(statement: Any) -> list[Table]:
    table = getattr(statement, "table", None)
    return [table] if isinstance(table, Table) else []


@event.listens_for(ScopedSession, "do_orm_execute")
def _scope_statement(state: ORMExecuteState) -> None:
    clinic_id: UUID | None = state.session.info.get(CLINIC)
    if not state.is_orm_statement:
        raise UnscopedQuery("only ORM statements carry the clinic scope")
    if clinic_id is None:
        if _touches_owned(state.statement):
            raise UnscopedQuery("a session without a clinic cannot reach clinic rows")
        return
    if state.is_insert:
        _fill_insert(state, clinic_id)
        return
    if state.is_select and state.is_column_load:
        return
    state.statement = state.statement.options(
        with_loader_criteria(
            ClinicOwned,
            lambda cls: cls.clinic_id == clinic_id,
            include_aliases=True,
        )
    )


def _fill_insert(state: ORMExecuteState, clinic_id: UUID) -> None:
    mapper = state.bind_mapper
    if mapper is None or not issubclass(mapper.class_, ClinicOwned):
        return
    rows: Any = state.parameters if isinstance(state.parameters, list) else [state.parameters or {}]
    for row in rows:
        if row.setdefault("clinic_id", clinic_id) != clinic_id:
            raise UnscopedQuery("a row of another clinic")


@event.listens_for(ScopedSession, "before_flush")
def _scope_flush(session: Session, _context: Any, _instances: Any) -> None:
    clinic_id: UUID | None = session.info.get(CLINIC)
    for row in (*session.new, *session.dirty, *session.deleted):
        if not isinstance(row, ClinicOwned):
            continue
        if clinic_id is None:
            raise UnscopedQuery("a session without a clinic cannot write clinic rows")
        if row.clinic_id is None:
            row.clinic_id = clinic_id
        elif row.clinic_id != clinic_id:
            raise UnscopedQuery("a row of another clinic")
