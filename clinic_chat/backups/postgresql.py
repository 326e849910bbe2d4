"""PostgreSQL by its own programs, which are told the password in their environment alone."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import column, func, make_url, select, table, text

from clinic_chat.backups.errors import BackupError, NotPossibleHere
from clinic_chat.storage.inspection import inspecting

# Tables of ours and of others, in the schemas that a statement looks in.
TABLES = text(
    "SELECT table_name FROM information_schema.tables"
    " WHERE table_schema = ANY (current_schemas(false)) AND table_type = 'BASE TABLE'"
    " ORDER BY table_name"
)


@contextmanager
def dump(url: str, folder: Path) -> Iterator[tuple[IO[bytes], str | None, dict[str, int]]]:
    """What `pg_dump` writes of one moment, the schema's revision and the rows by table.

    Raises:
        BackupError: the program is missing or failed.
    """
    with tempfile.TemporaryFile(dir=folder) as file:
        revision, counts = asyncio.run(_dump(url, file))
        yield file, revision, counts


async def _dump(url: str, file: IO[bytes]) -> tuple[str | None, dict[str, int]]:
    program = _program("pg_dump", "pg_dump --format=custom --file=FILE DATABASE")
    revision = None
    async with inspecting(url) as connection:
        # What is counted here and what the program sees is the same moment.
        moment = await connection.scalar(text("SELECT pg_export_snapshot()"))
        names = list(await connection.scalars(TABLES))
        counts = {
            name: await connection.scalar(select(func.count()).select_from(table(name))) or 0
            for name in names
        }
        if "alembic_version" in names:
            revision = await connection.scalar(
                select(column("version_num")).select_from(table("alembic_version"))
            )
        # Compressed with the rest of the archive.
        await _run(url, file, program, "--format=custom", "--compress=0", f"--snapshot={moment}")
    return revision, counts


async def _run(url: str, file: IO[bytes], program: str, *options: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(program, "--no-owner", "--no-privileges", *options),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=file,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(url),
    )
    _, errors = await process.communicate()
    if process.returncode:
        raise BackupError(_said(errors))


def restore_dump(url: str, file: Path) -> None:
    """Fill an empty database with what `pg_dump` wrote, all of it or nothing.

    Raises:
        BackupError: the program is missing or failed.
    """
    program = _program("pg_restore", "pg_restore --single-transaction --dbname=DATABASE FILE")
    with file.open("rb") as source:
        done = subprocess.run(  # noqa: S603
            [
                *(program, "--single-transaction", "--exit-on-error"),
                *("--no-owner", "--no-privileges", f"--dbname={make_url(url).database or ''}"),
            ],
            stdin=source,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=_environment(url),
            check=False,
        )
    if done.returncode:
        raise BackupError(_said(done.stderr))


async def table_names(url: str) -> list[str]:
    """The tables in a database."""
    async with inspecting(url) as connection:
        return list(await connection.scalars(TABLES))


def _program(name: str, by_hand: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise NotPossibleHere(
            f"{name} is not on the PATH: install PostgreSQL's client programs, "
            f"or run where they are: {by_hand}"
        )
    return found


def _environment(url: str) -> dict[str, str]:
    parsed = make_url(url)
    query = {
        name: value if isinstance(value, str) else value[0] for name, value in parsed.query.items()
    }
    given = {
        "PGHOST": parsed.host or query.get("host"),
        "PGPORT": str(parsed.port) if parsed.port else query.get("port"),
        "PGUSER": parsed.username or query.get("user"),
        "PGPASSWORD": parsed.password or query.get("password"),
        "PGDATABASE": parsed.database,
        "PGSSLMODE": query.get("ssl") or query.get("sslmode"),
    }
    return os.environ | {name: value for name, value in given.items() if value}


def _said(errors: bytes) -> str:
    lines = [line for line in errors.decode(errors="replace").splitlines() if line.strip()]
    # One line: others quote statements, and those may quote rows.
    for line in [line for line in lines if "error:" in line.lower()] or lines:
        return line[:300]
    return "PostgreSQL's program failed and did not say why"
