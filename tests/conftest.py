"""What every test shares: real databases, migrated and empty, and two clinics with staff."""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from argon2 import PasswordHasher

from clinic_chat.domain.accounts.users import Membership, User
from clinic_chat.domain.clinics.actors import SYSTEM, Role, StaffActor
from clinic_chat.domain.clinics.clinic import Clinic
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.storage.database import Database
from clinic_chat.storage.migrate import migrate
from tests.support.servers.postgresql import new_database, postgresql, run_commands

pytest_plugins = ["tests.support.servers.fixtures"]

PASSWORD = "correct horse battery"
TEST_KEY = "a key for tests, as long as one has to be"


def stored(password_hash: str | None) -> Callable[[], Awaitable[str | None]]:
    """What reads a password's hash from where it is kept."""

    async def read_hash() -> str | None:
        return password_hash

    return read_hash


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the tests measured."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")


@dataclass(frozen=True)
class Clinics:
    """Two clinics: `aurora` with Ana and Bruno, `boreal` with Carla.

    `aurora` and `boreal` are scopes without a person, as a channel has.
    """

    database: Database
    aurora: ClinicScope
    boreal: ClinicScope
    ana: ClinicScope
    bruno: ClinicScope
    carla: ClinicScope


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The maintenance database of a real PostgreSQL server, reached over a Unix socket."""
    with postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_migrated_url(postgres_url: str) -> str:
    """The URL of the migrated database that tests use one after the other."""
    url = asyncio.run(new_database(postgres_url, "migrated"))
    asyncio.run(migrate(url))
    return url


@pytest.fixture
def postgres_database_url(postgres_migrated_url: str) -> Iterator[str]:
    """The URL of a migrated PostgreSQL database without rows."""
    yield postgres_migrated_url
    # What a test left connected could hold locks.
    _run(
        postgres_migrated_url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        # Everything else belongs to one of these and goes with it.
        "DELETE FROM clinics",
        "DELETE FROM users",
        "DELETE FROM used_challenges",
    )


@pytest.fixture
def empty_postgres_url(postgres_url: str) -> Iterator[str]:
    """The URL of a PostgreSQL database without tables, dropped after the test."""
    name = f"test_{uuid4().hex}"
    yield asyncio.run(new_database(postgres_url, name))
    _run(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


def _run(url: str, *commands: str) -> None:
    asyncio.run(run_commands(url, *commands))


@pytest.fixture
async def postgres_database(postgres_database_url: str) -> AsyncIterator[Database]:
    """A migrated, empty database on PostgreSQL."""
    database = Database(postgres_database_url)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, for copying."""
    path = tmp_path_factory.mktemp("template") / "migrated.db"
    asyncio.run(migrate(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture
def database_path(tmp_path: Path, sqlite_template: Path) -> Path:
    """The file under `database`, for tests that open it from elsewhere too."""
    return Path(shutil.copy(sqlite_template, tmp_path / "clinic_chat.db"))


@pytest.fixture
async def database(database_path: Path) -> AsyncIterator[Database]:
    """A migrated, empty database on SQLite."""
    database = Database(f"sqlite+aiosqlite:///{database_path}")
    yield database
    await database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database(request: pytest.FixtureRequest) -> Database:
    """A migrated, empty database; the test runs once on each kind."""
    name = "database" if request.param == "sqlite" else "postgres_database"
    database: Database = request.getfixturevalue(name)
    return database


@pytest.fixture(params=["sqlite", "postgresql"])
def any_database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated, empty database; the test runs once on each kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{request.getfixturevalue('database_path')}"
    url: str = request.getfixturevalue("postgres_database_url")
    return url


@pytest.fixture
def password() -> str:
    """The password of everybody in `clinics`."""
    return PASSWORD


@pytest.fixture(scope="session")
def password_hash() -> str:
    """The hash of `PASSWORD` with Argon2's cheapest parameters, which the hash carries."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@pytest.fixture(scope="session")
def populate(password_hash: str) -> Callable[..., Awaitable[Clinics]]:
    """Adds two clinics to a database; `suffix` tells a second pair from the first."""

    async def populate(database: Database, suffix: str = "") -> Clinics:
        aurora = Clinic(slug=f"aurora{suffix}", name="Clínica Aurora")
        boreal = Clinic(slug=f"boreal{suffix}", name="Clínica Boreal")
        ana, bruno, carla = (
            User(email=f"{name}@{clinic.slug}.example", name=title, password_hash=password_hash)
            for name, title, clinic in (
                ("ana", "Ana Souza", aurora),
                ("bruno", "Bruno Lima", aurora),
                ("carla", "Carla Dias", boreal),
            )
        )
        async with database.write() as session:
            session.add_all([aurora, boreal, ana, bruno, carla])
            await session.flush()
            session.add_all(
                [
                    Membership(user_id=ana.id, clinic_id=aurora.id, role=Role.ADMIN),
                    Membership(user_id=bruno.id, clinic_id=aurora.id, role=Role.PROFESSIONAL),
                    Membership(user_id=carla.id, clinic_id=boreal.id, role=Role.RECEPTIONIST),
                ]
            )

        return Clinics(
            database=database,
            aurora=ClinicScope(database, aurora.id, SYSTEM),
            boreal=ClinicScope(database, boreal.id, SYSTEM),
            ana=ClinicScope(database, aurora.id, StaffActor(ana.id, Role.ADMIN)),
            bruno=ClinicScope(database, aurora.id, StaffActor(bruno.id, Role.PROFESSIONAL)),
            carla=ClinicScope(database, boreal.id, StaffActor(carla.id, Role.RECEPTIONIST)),
        )

    return populate


@pytest.fixture
def new_clinics(
    request: pytest.FixtureRequest, populate: Callable[..., Awaitable[Clinics]]
) -> Callable[[], Awaitable[Clinics]]:
    """Adds another pair of clinics to the test's database, for properties with many examples.

    The database is `any_database` when the test asks for that, or else `database`.
    """
    shared = "any_database" in request.fixturenames
    database: Database = request.getfixturevalue("any_database" if shared else "database")
    suffixes = (f"-{number}" if number else "" for number in itertools.count())
    return lambda: populate(database, next(suffixes))


@pytest.fixture
async def clinics(new_clinics: Callable[[], Awaitable[Clinics]]) -> Clinics:
    """The test's two clinics, in `any_database` when the test asks for that, or `database`."""
    return await new_clinics()
