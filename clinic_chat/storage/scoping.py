"""Tenant isolation: every session is for one clinic or for none, and its SQL is checked.

A session opened for a clinic adds `clinic_id = …` to each ORM SELECT, UPDATE and DELETE
on a `ClinicOwned` table and fills it in on INSERT. A session without a clinic refuses to
touch such a table at all.

SQLAlchemy adds the condition where it recognises an entity, which is not everywhere. So the
SQL of each form of statement is parsed before it first runs: every mention of a clinic's table
must carry the condition. Statements that cannot be checked are refused: SQL written by hand,
full joins, bare connections, objects that another session loaded.
"""

import re
from collections import Counter
from functools import lru_cache
from typing import Any, NoReturn, cast
from uuid import UUID

from sqlalchemy import ColumnClause, Insert, Table, Uuid, bindparam, event
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler, SQLiteDialect
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

from clinic_chat.storage.base import Base, ClinicOwned
from clinic_chat.storage.statements import PREPARED_OPTION

CLINIC = "clinic_id"
FLUSHES = "flushes"
"""The number of flushes of a session that wrote changes."""
# The parameter of the condition, by which it is recognised in the SQL.
PARAMETER = "scope_clinic_id"
VERDICTS = 4_000
# The literal SQL inside count(), exists() and contains().
SQLALCHEMYS_OWN = {"*", "1", "'%'"}


class UnscopedQuery(RuntimeError):
    """Code tried to reach a clinic's rows without naming the clinic, or another clinic's rows."""


class ScopedSession(Session):
    """The sync session class of every AsyncSession, so that the listeners cover all of them."""

    def connection(self, *_args: Any, **_options: Any) -> NoReturn:
        """Refused, like the legacy bulk methods: the listeners do not see their statements."""
        raise UnscopedQuery("only ORM statements carry the clinic scope")

    bulk_save_objects = bulk_insert_mappings = bulk_update_mappings = connection


@event.listens_for(ScopedSession, "do_orm_execute")
def _scope_statement(state: ORMExecuteState) -> None:
    clinic_id: UUID | None = state.session.info.get(CLINIC)
    if not state.is_orm_statement:
        raise UnscopedQuery("only ORM statements carry the clinic scope")
    if state.is_column_load:
        return  # more columns of a row that this session has loaded
    if "dml_strategy" in state.execution_options:
        raise UnscopedQuery("this strategy does not carry the clinic scope")
    prepared = state.execution_options.get(PREPARED_OPTION) and not state.is_insert
    if clinic_id is not None:
        if state.is_insert:
            _fill_insert(state, clinic_id)
        else:
            _refuse_parameters(state)
            state.statement = (_remembered if prepared else _scoped)(state.statement, clinic_id)
    look = _remembered_fault if prepared else _fault
    dialect = state.session.get_bind().dialect.name
    if fault := look(state.statement, dialect, clinic_id is not None):
        raise UnscopedQuery(fault)


@lru_cache(maxsize=1024)
def _condition(clinic_id: UUID) -> Any:
    ours = bindparam(PARAMETER, clinic_id, Uuid())
    return with_loader_criteria(
        ClinicOwned, lambda entity: entity.clinic_id == ours, include_aliases=True
    )


def _scoped(statement: Any, clinic_id: UUID) -> Any:
    return statement.options(_condition(clinic_id))


_remembered = lru_cache(maxsize=1024)(_scoped)


def _refuse_parameters(state: ORMExecuteState) -> None:
    if state.parameters and (state.is_update or PARAMETER in state.parameters):
        raise UnscopedQuery("these parameters do not carry the clinic scope")


def _fill_insert(state: ORMExecuteState, clinic_id: UUID) -> None:
    mapper = state.bind_mapper
    if mapper is None or not issubclass(mapper.class_, ClinicOwned):
        return
    statement = cast(Insert, state.statement)
    if statement._values or statement._multi_values or statement.select is not None:
        raise UnscopedQuery("give the rows of a clinic as parameters of the insert")
    rows: Any = state.parameters if isinstance(state.parameters, list) else [state.parameters]
    for row in rows:
        if row is None or row.setdefault("clinic_id", clinic_id) != clinic_id:
            raise UnscopedQuery("a row of another clinic")


_verdicts: dict[Any, str] = {}


def _fault(statement: Any, dialect: str, scoped: bool) -> str:
    """The fault of statements of this form, "" when they stay inside the scope."""
    form = statement._generate_cache_key()
    if form is None:
        return _read(statement, dialect, scoped)
    key = (dialect, scoped, form.key)
    if key not in _verdicts:
        if len(_verdicts) >= VERDICTS:
            _verdicts.clear()
        _verdicts[key] = _read(statement, dialect, scoped)
    return _verdicts[key]


_remembered_fault = lru_cache(maxsize=1024)(_fault)


def _read(statement: Any, dialect: str, scoped: bool) -> str:
    if isinstance(statement, Insert):
        # Rows given as parameters are known only at run time; the rest is compiled the same way.
        statement = statement._annotate({"dml_strategy": "orm"})
    try:
        sql = str(statement.compile(dialect=_READERS[dialect])).replace('"', "")
    except _WrittenByHand:
        return "SQL written by hand does not carry the clinic scope"
    tables = "|".join(_owned_tables()) or "(?!)"
    mentions = re.findall(
        rf"(INSERT INTO )?(?<![\w.])(?<! OF )({tables})(?![\w.])(?: AS (\w+))?", sql
    )
    if not scoped:
        return "a session without a clinic cannot reach clinic rows" if mentions else ""
    if mentions and re.search(r"\bFULL OUTER JOIN\b|\bDO UPDATE\b|\bSET (.*, )?clinic_id=", sql):
        return "a full join, an upsert or a change of clinic cannot be kept inside a clinic"
    found = Counter(alias or table for inserted, table, alias in mentions if not inserted)
    kept = Counter(re.findall(rf"(?<![\w.])(\w+)\.clinic_id = :{PARAMETER}\b", sql))
    return f"no clinic scope on {', '.join(found - kept)}" if found - kept else ""


def _owned_tables() -> list[str]:
    return [
        mapper.local_table.name
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, ClinicOwned) and isinstance(mapper.local_table, Table)
    ]


class _WrittenByHand(Exception):
    """The statement contains text that SQLAlchemy passes on unchanged."""


class _Reader(SQLCompiler):
    """Compiles a statement into SQL, and stops at SQL that is written by hand."""

    def _stop(self, *_args: Any, **_options: Any) -> NoReturn:
        raise _WrittenByHand

    visit_textclause = visit_tstring = visit_textual_select = _stop
    visit_custom_op_binary = visit_custom_op_unary_operator = visit_custom_op_unary_modifier = _stop
    get_statement_hint_text = _stop

    def visit_column(self, column: ColumnClause[Any], *args: Any, **options: Any) -> str:
        if column.is_literal and column.name not in SQLALCHEMYS_OWN:
            raise _WrittenByHand
        return super().visit_column(column, *args, **options)


class _SQLiteReader(_Reader, SQLiteCompiler):
    pass


class _PostgreSQLReader(_Reader, PGCompiler):
    pass


def _reader(kind: Any, compiler: type[SQLCompiler]) -> Dialect:
    dialect: Dialect = kind(paramstyle="named")
    dialect.statement_compiler = compiler
    return dialect


_READERS = {
    "sqlite": _reader(SQLiteDialect, _SQLiteReader),
    "postgresql": _reader(PGDialect, _PostgreSQLReader),
}


@event.listens_for(ScopedSession, "before_attach")
def _scope_object(_session: Session, row: Any) -> None:
    if isinstance(row, ClinicOwned) and instance_state(row).key is not None:
        raise UnscopedQuery("a clinic's row that another session loaded")


@event.listens_for(ScopedSession, "before_flush")
def _scope_flush(session: Session, _context: Any, _instances: Any) -> None:
    clinic_id: UUID | None = session.info.get(CLINIC)
    session.info[FLUSHES] = session.info.get(FLUSHES, 0) + 1
    for row in (*session.new, *session.dirty, *session.deleted):
        _refuse_queries(session, row)
        if not isinstance(row, ClinicOwned):
            continue
        if clinic_id is None:
            raise UnscopedQuery("a session without a clinic cannot write clinic rows")
        if row.clinic_id is None:
            row.clinic_id = clinic_id
        elif row.clinic_id != clinic_id:
            raise UnscopedQuery("a row of another clinic")


def _refuse_queries(session: Session, row: Any) -> None:
    for value in vars(row).values():
        if not isinstance(value, ClauseElement):
            continue
        if fault := _fault(value, session.get_bind().dialect.name, scoped=False):
            raise UnscopedQuery(fault)
