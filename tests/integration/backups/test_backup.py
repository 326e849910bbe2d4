"""A backup is one moment of everything, is there whole or not at all, and disturbs nobody."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clinic_chat.backups import unfinished
from clinic_chat.backups.archives import archive
from clinic_chat.backups.backup import make_backup
from clinic_chat.backups.errors import BackupError
from clinic_chat.backups.restore import restore_backup
from clinic_chat.doctor.examination import examine_database
from clinic_chat.doctor.finding import exit_code
from clinic_chat.settings import PROJECT_ROOT, Settings
from tests.integration.backups.contents import KEY, fill, names_in, table_rows

if TYPE_CHECKING:
    from tests.conftest import Clinics

ACKNOWLEDGED_BEFORE = 20
# Sends 50 messages a second and says which were acknowledged, each on a line.
WRITER = """
import asyncio, sys, time
from uuid import UUID
from clinic_chat.domain.messages.sending import Sends
from clinic_chat.domain.clinics.actors import Role, StaffActor
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.storage.database import Database

async def main(url, clinic, user, conversation):
    scope = ClinicScope(Database(url), UUID(clinic), StaffActor(UUID(user), Role.ADMIN))
    sends = Sends(scope.database)

    async def send(number):
        await sends.send(scope, conversation, f"mensagem {number} \u2764\ufe0f" * 20, f"{number}")
        print(number, flush=True)

    begun, number, sending = time.monotonic(), 0, set()
    while True:
        sending.add(task := asyncio.create_task(send(number)))
        task.add_done_callback(sending.discard)
        number += 1
        # By the clock, so that a slow send makes the next one no later.
        await asyncio.sleep(begun + number * 0.02 - time.monotonic())

asyncio.run(main(*sys.argv[1:]))
"""
# Begins a backup and stops in the middle of it, for ever.
STOPS = """
import sys, time
from pathlib import Path
from clinic_chat.backups import backup
from clinic_chat.backups.archives import archive
from clinic_chat.settings import Settings

def stop(sink, *_):
    sink.write(b"half of it")
    sink.flush()
    print("stopped", flush=True)
    time.sleep(600)

backup.write_archive = stop
backup.make_backup(Settings(), Path(sys.argv[1]))
"""


def backup_in_half(settings: Settings, file: Path) -> None:
    """Begin a backup in another process, and kill it in the middle."""
    with subprocess.Popen(
        [sys.executable, "-c", STOPS, str(file)],
        cwd=PROJECT_ROOT,
        env={**os.environ, "CLINIC_CHAT_DATABASE_URL": settings.database_url},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "stopped\n"
        process.send_signal(signal.SIGKILL)


async def test_a_backup_under_load_has_what_was_acknowledged_and_is_whole(
    clinics: Clinics,
    settings: Settings,
    database_path: Path,
    elsewhere: Settings,
    place: Path,
    tmp_path: Path,
) -> None:
    conversation = await fill(clinics)
    writer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITER, settings.database_url),
        *map(str, (clinics.ana.clinic_id, clinics.ana.user_id, conversation)),
        cwd=PROJECT_ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert writer.stdout is not None
    acknowledged = [
        (await writer.stdout.readline()).decode().strip() for _ in range(ACKNOWLEDGED_BEFORE)
    ]
    made = await asyncio.to_thread(make_backup, settings, tmp_path / "backup.tar.gz")
    later = [await writer.stdout.readline() for _ in range(5)]
    writer.send_signal(signal.SIGKILL)
    await writer.wait()
    assert all(later)

    await asyncio.to_thread(restore_backup, elsewhere, made.file)

    copy = place / "clinic_chat.db"
    found = await examine_database(elsewhere.database_url, thorough=True)
    assert exit_code(found) == 0, found
    restored = table_rows(copy, "messages")
    assert set(restored) <= set(table_rows(database_path, "messages"))
    assert {*acknowledged} <= {value for row in restored for value in row}
    assert made.manifest.counts["messages"] == len(restored)
    for table in ("clinics", "users", "patients", "memberships"):
        assert len(table_rows(copy, table)) == made.manifest.counts[table] > 0


@pytest.mark.usefixtures("filled")
def test_an_archive_is_laid_out_always_in_the_same_way(
    settings: Settings, key_file: Path, tmp_path: Path
) -> None:
    files = tmp_path / "files"
    (files / "b").mkdir(parents=True)
    (files / "b" / "2.jpg").write_bytes(b"two")
    (files / "a.pdf").write_bytes(b"one")
    (files / "link").symlink_to(key_file)
    made = [
        make_backup(settings, tmp_path / name, key_file=key_file).file for name in ("one", "two")
    ]

    contents = []
    for file in made:
        with tarfile.open(file) as tar:
            entries = tar.getmembers()
            contents.append({entry.name: tar.extractfile(entry).read() for entry in entries})  # type: ignore[union-attr]
        assert oct(file.stat().st_mode & 0o777) == "0o600"
        assert {(entry.mode, entry.mtime, entry.uid) for entry in entries} == {(0o600, 0, 0)}
    names = ["database.sqlite", "clinic_chat_key", "files/a.pdf", "files/b/2.jpg"]
    assert [list(one) for one in contents] == [["manifest.json", *names]] * 2
    assert contents[0]["clinic_chat_key"].decode() == KEY
    manifest = json.loads(contents[0].pop("manifest.json"))
    assert manifest["product"]
    assert manifest["schema_revision"]
    assert manifest["counts"]["messages"] == 3
    assert {one["name"]: (one["size"], one["sha256"]) for one in manifest["members"]} == {
        name: (len(text), hashlib.sha256(text).hexdigest()) for name, text in contents[0].items()
    }
    contents[1].pop("manifest.json")
    assert contents[0] == contents[1]


@pytest.mark.parametrize("with_key", [True, False])
def test_the_key_of_the_environment_and_one_that_is_left_out_are_not_in_it(
    settings: Settings, key_file: Path, tmp_path: Path, with_key: bool
) -> None:
    if with_key:
        settings = settings.model_copy(update={"secret_key": KEY})
    made = make_backup(settings, tmp_path / "b", with_key=with_key, key_file=key_file)

    assert [member.name for member in made.manifest.members] == ["database.sqlite"]
    assert made.manifest.key == ("in CLINIC_CHAT_SECRET_KEY" if with_key else "left out")
    assert KEY.encode() not in made.file.read_bytes()


def test_what_is_there_already_is_not_overwritten(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "b"
    file.write_text("precious")
    with pytest.raises(BackupError, match="is there already"):
        make_backup(settings, file)
    assert file.read_text() == "precious"

    dangling = tmp_path / "c"
    dangling.symlink_to(tmp_path / "d")
    with pytest.raises(BackupError, match="is there already"):
        make_backup(settings, dangling)
    with pytest.raises(BackupError, match="no folder"):
        make_backup(settings, tmp_path / "no" / "folder")


def test_a_name_that_is_taken_meanwhile_stays(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "b"
    write = archive.write_archive

    def slow(*arguments: object) -> None:
        write(*arguments)  # type: ignore[arg-type]
        file.write_text("precious")

    monkeypatch.setattr("clinic_chat.backups.backup.write_archive", slow)
    with pytest.raises(BackupError, match="is there already"):
        make_backup(settings, file)
    assert file.read_text() == "precious"
    assert names_in(tmp_path) == ["b", "clinic_chat.db"]


def test_a_full_disk_is_said_and_leaves_nothing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("clinic_chat.backups.backup.write_archive", full)
    with pytest.raises(BackupError, match="no space left"):
        make_backup(settings, tmp_path / "b")
    assert names_in(tmp_path) == ["clinic_chat.db"]


def test_a_database_that_is_missing_or_damaged_is_no_backup(
    settings: Settings, database_path: Path, tmp_path: Path
) -> None:
    missing = settings.model_copy(update={"database_url": f"sqlite+aiosqlite:///{tmp_path}/no.db"})
    with pytest.raises(BackupError, match="there is no database"):
        make_backup(missing, tmp_path / "b")
    data = bytearray(database_path.read_bytes())
    data[8192:16384] = b"\xff" * 8192
    database_path.write_bytes(data)
    with pytest.raises(BackupError, match=r"damaged|malformed"):
        make_backup(settings, tmp_path / "b")
    assert names_in(tmp_path) == ["clinic_chat.db"]


def test_a_backup_that_is_killed_leaves_nothing_that_looks_like_one(
    settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    backup_in_half(settings, folder / "b.tar.gz")

    (left,) = folder.iterdir()
    assert left.name.startswith(unfinished.PREFIX)
    # Of the database itself no copy has a name any more.
    assert [name for name in names_in(tmp_path) if name.startswith(".")] == []
    assert names_in(left) == ["archive", unfinished.IN_USE]

    make_backup(settings, folder / "b.tar.gz")
    assert names_in(folder) == [left.name, "b.tar.gz"]
    os.utime(left, (0, 0))
    make_backup(settings, folder / "c.tar.gz")
    assert names_in(folder) == ["b.tar.gz", "c.tar.gz"]


def test_a_backup_that_is_under_way_is_nobodys_rubbish(tmp_path: Path) -> None:
    with unfinished.unfinished_folder(tmp_path) as folder:
        os.utime(folder, (0, 0))
        unfinished.remove_abandoned(tmp_path)
        assert folder.is_dir()
    assert names_in(tmp_path) == []
