"""`backup`, `restore` and `doctor` as a person meets them: output, warnings and exit codes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clinic_chat.settings import PROJECT_ROOT, Settings
from tests.integration.backups.contents import KEY, change, names_in
from tests.integration.server.commands import Commands, Run, ready_commands
from tests.support.servers.ports import free_port


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    with ready_commands(tmp_path_factory.mktemp("commands")) as ready:
        yield ready


@pytest.fixture
def run(commands: Commands, settings: Settings) -> Run:
    """Runs a command to its end, in the environment of the server or with what is named."""

    def run_command(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        named = {f"CLINIC_CHAT_{name.upper()}": value for name, value in variables.items()}
        environment = os.environ | {
            "CLINIC_CHAT_DATABASE_URL": settings.database_url,
            "CLINIC_CHAT_SECRET_KEY": KEY,
        }
        return commands.run(*map(str, arguments), stdin="", environment=environment | named)

    return run_command


@pytest.mark.usefixtures("filled")
def test_a_backup_goes_there_and_back(
    run: Run, elsewhere: Settings, place: Path, tmp_path: Path
) -> None:
    file = tmp_path / "b.tar.gz"
    made = run("backup", file)
    assert made.returncode == 0, made.stderr
    assert "3 messages" in made.stdout
    assert made.stderr == "Warning: it holds health data, and is not encrypted.\n"

    again = run("backup", file)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("clinic_chat: no backup was made: ")
    assert again.stderr.count("\n") == 1

    restored = run("restore", file, database_url=elsewhere.database_url)
    assert restored.returncode == 0, restored.stderr
    assert "3 messages" in restored.stdout
    assert "The key is not in it (in CLINIC_CHAT_SECRET_KEY)" in restored.stderr
    assert names_in(place) == ["clinic_chat.db"]
    refused = run("restore", file, database_url=elsewhere.database_url)
    assert refused.returncode == 1
    assert refused.stderr.startswith("clinic_chat: nothing was restored: ")


def test_who_may_open_backups_can_be_a_setting(run: Run, tmp_path: Path) -> None:
    import pyrage

    public = str(pyrage.x25519.Identity.generate().to_public())
    made = run("backup", tmp_path / "b", backup_encrypt_to=public)
    assert (made.returncode, made.stderr) == (0, "")
    assert (tmp_path / "b").read_bytes().startswith(b"age-encryption")


@pytest.mark.usefixtures("filled")
def test_the_doctor_speaks_plainly_and_its_exit_code_says_how_it_is(
    run: Run, database_path: Path, tmp_path: Path
) -> None:
    well = run("doctor")
    assert well.returncode == 0, well.stdout
    assert {line.split("  ")[0] for line in well.stdout.splitlines()} == {"ok"}
    change(database_path, "DELETE FROM events WHERE seq = 2")
    ill = run("doctor")
    assert ill.returncode == 1
    assert "WRONG    log           clinic aurora: 2 events" in ill.stdout
    away = run("doctor", database_url=f"sqlite+aiosqlite:///{tmp_path}/no.db")
    assert away.returncode == 2
    assert "there is none at" in away.stdout


def test_the_doctor_drills_a_restore(run: Run, backups: Path) -> None:
    none = run("doctor", "--restore-drill", backup_dir=str(backups))
    assert none.returncode == 1
    assert "there is no backup" in none.stdout
    assert run("backup", backups / "clinic-chat-20300101T000000Z.tar.gz").returncode == 0
    done = run("doctor", "--restore-drill", backup_dir=str(backups))
    assert done.returncode == 0, done.stdout
    assert "can be restored" in done.stdout


@pytest.mark.parametrize(
    "command", [("serve", "--port", str(free_port())), ("migrate",), ("list-users",)]
)
def test_a_newer_schema_is_one_line_and_its_own_exit_code(
    run: Run, database_path: Path, command: tuple[str, ...]
) -> None:
    change(database_path, "UPDATE alembic_version SET version_num = '9999'")
    done = run(*command)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "9999 of a newer version" in done.stderr


def test_settings_of_backups_that_cannot_work_are_one_line(run: Run) -> None:
    done = run("migrate", backup_every_hours="6")
    assert done.returncode == 1
    assert "CLINIC_CHAT_BACKUP_EVERY_HOURS: say in CLINIC_CHAT_BACKUP_DIR" in done.stderr


def test_a_backup_that_is_told_to_end_leaves_nothing(settings: Settings, backups: Path) -> None:
    program = (
        "import sys, time\n"
        "from clinic_chat.backups import backup\n"
        "from clinic_chat.cli import app\n"
        "def stop(*_):\n"
        "    print('stopped', flush=True)\n"
        "    time.sleep(600)\n"
        "backup.write_archive = stop\n"
        "app(['backup', sys.argv[1]])\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(backups / "b")],
        cwd=PROJECT_ROOT,
        env={**os.environ, "CLINIC_CHAT_DATABASE_URL": settings.database_url},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "stopped\n"
        process.terminate()
    assert process.returncode == 128 + signal.SIGTERM
    assert names_in(backups) == []
