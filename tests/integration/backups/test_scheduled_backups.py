"""The server makes backups by the clock: one of several processes, once, and says how it went."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import structlog
import time_machine
from pydantic import ValidationError

from clinic_chat.backups.restore import restore_backup
from clinic_chat.backups.schedule import backup_name, backups_in, expired, is_due
from clinic_chat.backups.unfinished import LOCK, folder_lock
from clinic_chat.settings import Settings
from clinic_chat.storage.inspection import sqlite_url
from clinic_chat.workers import backup_worker
from clinic_chat.workers.backup_worker import BackupWorker
from tests.integration.backups.contents import names_in, table_rows
from tests.support.servers.forked_server import ForkedServer
from tests.support.servers.own_server import eventually

NOON = datetime(2030, 5, 8, 12, tzinfo=UTC)


@pytest.fixture
def scheduled(settings: Settings, backups: Path) -> Settings:
    """A backup each hour, of which one is kept, or more for their age."""
    return settings.model_copy(
        update={"backup_dir": backups, "backup_every_hours": 1, "backup_keep": 1}
    )


def names(*moments: datetime) -> dict[Path, datetime]:
    return {Path(backup_name(moment, encrypted=False)): moment for moment in moments}


def put(*paths: Path) -> None:
    for path in paths:
        path.touch()


def size_of(path: Path) -> int:
    return path.stat().st_size


def test_of_backups_the_newest_and_some_of_each_age_are_kept() -> None:
    hourly = names(*(NOON - timedelta(hours=hour) for hour in range(24 * 60)))

    gone = expired(hourly, keep=3)

    kept = sorted((hourly[path] for path in hourly if path not in gone), reverse=True)
    newest = [NOON - timedelta(hours=hour) for hour in range(3)]
    ends_of_days = [datetime(2030, 5, day, 23, tzinfo=UTC) for day in (7, 6, 5, 4, 3, 2)]
    # The 5th, a Sunday, is the end of the week before.
    ends_of_weeks = [datetime(2030, 4, day, 23, tzinfo=UTC) for day in (28, 21)]
    assert kept == [*newest, *ends_of_days, *ends_of_weeks]


def test_old_backups_stay_when_there_are_no_newer_ones() -> None:
    rare = names(*(NOON - timedelta(days=100 * number) for number in range(10)))
    assert expired(rare, keep=1) == list(rare)[7:]


def test_a_backup_is_due_after_its_time_and_none_of_the_future_counts() -> None:
    hour = timedelta(hours=1)
    assert is_due([], NOON, hour)
    assert is_due([NOON - hour], NOON, hour)
    assert not is_due([NOON - hour / 2, NOON - hour], NOON, hour)
    assert is_due([NOON + hour], NOON, hour)


def test_other_files_are_no_backups(backups: Path) -> None:
    for name in ("notes.txt", "clinic-chat-x.tar.gz", "clinic-chat-20300508T120000Z.tar.gz.part"):
        (backups / name).touch()
    encrypted = backups / backup_name(NOON, encrypted=True)
    encrypted.touch()
    assert backups_in(backups) == {encrypted: NOON}


def test_a_schedule_needs_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="CLINIC_CHAT_BACKUP_DIR"):
        Settings(backup_every_hours=1)
    monkeypatch.setenv("CLINIC_CHAT_BACKUP_DIR", "")
    monkeypatch.setenv("CLINIC_CHAT_BACKUP_ENCRYPT_TO", "age1a, age1b,")
    assert Settings().backup_dir is None
    assert Settings().backup_encrypt_to == ["age1a", "age1b"]


@pytest.mark.usefixtures("filled")
async def test_of_processes_that_look_at_once_one_makes_it_and_a_restart_makes_none(
    scheduled: Settings, backups: Path, elsewhere: Settings, place: Path, database_path: Path
) -> None:
    old = backups / backup_name(datetime.now(UTC) - timedelta(days=200), encrypted=False)
    older = backups / backup_name(datetime.now(UTC) - timedelta(days=300), encrypted=False)
    put(old, older)
    with structlog.testing.capture_logs() as lines:
        await asyncio.gather(*(BackupWorker(scheduled).look() for _ in range(3)))
        await BackupWorker(scheduled).look()

    (made,) = [line for line in lines if line["event"] == "backup.made"]
    file = Path(made["file"])
    assert made["bytes"] == size_of(file)
    assert made["seconds"] > 0
    # The newest of their weeks.
    assert set(backups_in(backups)) == {file, old, older}
    await asyncio.to_thread(restore_backup, elsewhere, file, key_file=place / "key")
    restored = table_rows(place / "clinic_chat.db", "messages")
    assert restored == table_rows(database_path, "messages")


async def test_the_next_one_is_made_in_time_and_the_last_one_goes(
    scheduled: Settings, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def make(_worker: BackupWorker, file: Path, _lock: int) -> None:
        put(file)

    monkeypatch.setattr(BackupWorker, "_make", make)
    worker = BackupWorker(scheduled)
    with time_machine.travel(NOON, tick=False) as clock:
        for minutes in (0, 59, 1, 30):
            clock.shift(timedelta(minutes=minutes))
            await worker.look()
    assert list(backups_in(backups).values()) == [NOON + timedelta(hours=1)]


async def test_while_another_process_has_the_folder_nothing_is_made(
    scheduled: Settings, backups: Path
) -> None:
    with folder_lock(backups, wait=False) as lock, structlog.testing.capture_logs() as lines:
        assert lock is not None
        await BackupWorker(scheduled).look()
    assert names_in(backups) == [LOCK]
    assert lines == []


async def test_a_failure_is_said_and_not_tried_again_at_once(
    scheduled: Settings, backups: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = scheduled.model_copy(update={"database_url": sqlite_url(tmp_path / "no.db")})
    worker = BackupWorker(missing)
    clock = 100.0
    monkeypatch.setattr(backup_worker, "monotonic", lambda: clock)
    with structlog.testing.capture_logs() as lines:
        await worker.look()
        await worker.look()
    (failed,) = lines
    assert (failed["event"], failed["log_level"]) == ("backup.failed", "error")
    assert "there is no database" in failed["reason"]
    assert names_in(backups) == [LOCK]

    monkeypatch.setattr(
        backup_worker, "backup_folder", lambda _: (_ for _ in ()).throw(OSError(28, "No space"))
    )
    clock += backup_worker.RETRY_SECONDS
    with structlog.testing.capture_logs() as lines:
        await worker.look()
    assert [line["reason"] for line in lines] == ["there is no space left on the disk"]


async def test_a_server_that_ends_ends_the_backup_too(scheduled: Settings, backups: Path) -> None:
    async with BackupWorker(scheduled).lifespan():
        await eventually(lambda: LOCK in names_in(backups))
    assert list(backups_in(backups)) == []
    # Nobody holds the folder any more.
    with folder_lock(backups, wait=False) as lock:
        assert lock is not None


async def answers(server: ForkedServer) -> None:
    """Return when a server has started."""
    async with httpx.AsyncClient(base_url=server.origin, timeout=60) as client:
        assert (await client.get("/readyz")).status_code == 200


@pytest.mark.usefixtures("filled")
async def test_a_server_makes_them_and_none_again_when_it_comes_back(
    database_path: Path, backups: Path, tmp_path: Path
) -> None:
    log = tmp_path / "server.log"
    with ForkedServer(database_path, log, backup_dir=backups, backup_every_hours=1) as server:
        server.start()
        await answers(server)
        await eventually(lambda: backups_in(backups))
        server.kill()
        server.start()
        await answers(server)
        assert server.stop() == 0
    assert len(backups_in(backups)) == 1
    assert [name for name in names_in(backups) if "unfinished" in name] == []


async def test_without_a_schedule_nothing_runs(settings: Settings) -> None:
    before = len(asyncio.all_tasks())
    async with BackupWorker(settings).lifespan():
        assert len(asyncio.all_tasks()) == before
