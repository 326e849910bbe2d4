"""Whether a database is whole: its pages, its references, and whose its rows are."""

from collections.abc import Iterator

from sqlalchemy import Connection, ForeignKey, Table, exists, func, select, text

from clinic_chat.doctor.finding import Finding, judged
from clinic_chat.domain.tables import metadata
from clinic_chat.storage.base import Base, ClinicOwned

DAMAGES = 20


def check_pages(connection: Connection, *, thorough: bool = False) -> Finding:
    """What the database says of its own file; thoroughly, each entry of each index as well."""
    if connection.dialect.name == "sqlite":
        check = "integrity_check" if thorough else "quick_check"
        rows = connection.execute(text(f"PRAGMA {check}({DAMAGES})")).scalars().all()
        damages = [row for row in rows if row != "ok"]
        return judged("pages", damages, f"SQLite's {check} finds nothing")
    failures = connection.execute(
        text("SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()")
    ).scalar()
    on = failures is not None
    fine = "no page had a wrong checksum" if on else "PostgreSQL keeps no checksums of its pages"
    return judged("pages", [f"{failures} pages had a wrong checksum"] if failures else [], fine)


def check_references(connection: Connection) -> Finding:
    """Whether each row that another one refers to is there."""
    problems = []
    for table, key in _foreign_keys():
        parents = key.column.table.alias()
        missing = ~exists(select(1).where(parents.c[key.column.name] == key.parent))
        lost = connection.execute(
            select(func.count()).select_from(table).where(key.parent.is_not(None), missing)
        ).scalar()
        if lost:
            problems.append(f"{table.name}: {lost} rows without their {key.column.table.name}")
    return judged("references", problems, "every row has what it refers to")


def check_clinics(connection: Connection) -> Finding:
    """Whether rows that belong together belong to the same clinic."""
    problems = []
    owned = {
        mapper.local_table
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, ClinicOwned)
    }
    for table, key in _foreign_keys():
        if not {table, key.column.table} <= owned:
            continue
        parents = key.column.table.alias()
        strangers = connection.execute(
            select(func.count())
            .select_from(table)
            .join(parents, parents.c[key.column.name] == key.parent)
            .where(parents.c.clinic_id != table.c.clinic_id)
        ).scalar()
        if strangers:
            theirs = key.column.table.name
            problems.append(f"{table.name}: {strangers} rows of another clinic than their {theirs}")
    return judged("clinics", problems, "what belongs together belongs to one clinic")


def _foreign_keys() -> Iterator[tuple[Table, ForeignKey]]:
    for table in metadata.sorted_tables:
        for key in sorted(table.foreign_keys, key=lambda key: key.parent.name):
            yield table, key
