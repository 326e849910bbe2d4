"""The command line as a person meets it: its own process, its output and its exit code."""

import json
import os
import pty
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from clinic_chat.cli import data, people
from clinic_chat.domain.accounts.users import LOCALES
from clinic_chat.domain.clinics.actors import Role
from clinic_chat.storage.sqlite.library import sqlite3
from tests.integration.server.commands import PROJECT, Commands, Run, ready_commands

PASSWORD = "uma tarde no parque"
EVA = ["--email", "eva@sul.example"]
CSV = (
    "ID,section_header,section_text,dialogue\n"
    '1,CC,,"Doctor: Hello\nPatient: Hi"\n'
    "2,CC,,nobody speaks\n"
    "3,CC,,Patient: Good morning\n"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the command line keeps its database, which is not there yet."""
    return tmp_path / "cli.db"


@pytest.fixture
def environment(path: Path) -> dict[str, str]:
    return {**os.environ, "CLINIC_CHAT_DATABASE_URL": f"sqlite+aiosqlite:///{path}"}


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    with ready_commands(tmp_path_factory.mktemp("commands")) as ready:
        yield ready


@pytest.fixture
def run(commands: Commands, environment: dict[str, str]) -> Run:
    """Runs a command to its end; what is not given on standard input is nothing."""

    def run_command(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return commands.run(*arguments, stdin=stdin, environment=environment)

    return run_command


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def assert_refused(done: subprocess.CompletedProcess[str], reason: str) -> None:
    """One clear line, on standard error alone."""
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("clinic_chat: ")
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1


def test_help_lists_the_commands_and_loads_nothing_heavy() -> None:
    check = (
        "import sys; from clinic_chat.__main__ import app\n"
        "try: app(['--help'])\n"
        "finally: print(sorted({'reflex', 'sqlalchemy'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", check], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"
    for command in (
        "serve",
        "migrate",
        "demo",
        "create-clinic",
        "create-user",
        "set-password",
        "remove-second-factor",
        "list-users",
        "deactivate-user",
        "activate-user",
        "end-sessions",
        "create-token",
        "list-tokens",
        "revoke-token",
        "import-dialogues",
        "backup",
        "restore",
        "doctor",
    ):
        assert f" {command} " in done.stdout


def test_the_choices_of_create_user_are_those_of_the_domain() -> None:
    hints = get_type_hints(people.create_user)
    assert set(get_args(hints["role"])) == set(Role)
    assert set(get_args(get_args(hints["locale"])[0])) == set(LOCALES)


def test_migrate_makes_the_tables_and_can_run_again(run: Run, path: Path) -> None:
    for _ in range(2):
        assert run("migrate").returncode == 0
    assert rows(path, "SELECT count(*) FROM clinics") == [(0,)]


def test_demo_fills_an_empty_database_and_says_when_it_is_not(run: Run, path: Path) -> None:
    first = run("demo")
    assert first.returncode == 0
    assert "demo-clinic-chat" in first.stdout
    assert "ana@aurora.example" in first.stdout
    messages = rows(path, "SELECT count(*) FROM messages")
    again = run("demo")
    assert again.returncode == 0
    assert again.stdout == ""
    assert "nothing was changed" in again.stderr
    assert rows(path, "SELECT count(*) FROM messages") == messages


def test_a_clinic_with_a_person_and_a_token_from_nothing(run: Run, path: Path) -> None:
    created = run("create-clinic", "--slug", "sul", "--name", "Clínica Sul", "--timezone", "UTC")
    assert created.returncode == 0, created.stderr
    assert rows(path, "SELECT slug, name, timezone FROM clinics") == [("sul", "Clínica Sul", "UTC")]
    person = ["create-user", "--clinic", "sul", "--email", "Eva@sul.example", "--name", "Eva"]
    hired = run(*person, "--role", "admin", "--locale", "en", stdin=f"{PASSWORD}\n")
    assert hired.returncode == 0, hired.stderr
    assert rows(
        path, "SELECT email, name, locale, role FROM users JOIN memberships ON user_id = id"
    ) == [("eva@sul.example", "Eva", "en", "admin")]
    token = run("create-token", "--clinic", "sul")
    assert token.returncode == 0
    assert token.stdout.startswith("cc_")
    assert len(token.stdout.split()) == 1
    assert token.stdout.strip() not in token.stderr


def test_what_the_domain_refuses_is_one_line_and_exit_code_1(run: Run) -> None:
    assert run("create-clinic", "--slug", "sul", "--name", "Sul").returncode == 0
    person = ["create-user", "--clinic", "sul", "--email", "eva@sul.example", "--name", "Eva"]
    assert_refused(run("create-clinic", "--slug", "sul", "--name", "Sul"), "sul already")
    assert_refused(run("create-clinic", "--slug", "No!", "--name", "Sul"), "a slug has")
    assert_refused(run("create-token", "--clinic", "norte"), "no clinic norte")
    assert_refused(run(*person, stdin="short\n"), "12 to 200 characters")
    assert_refused(run(*person, stdin="1234567890123\n"), "too common")
    assert_refused(run(*person, stdin="eva@sul.example\n"), "the person's address, name or clinic")
    assert_refused(run(*person), "no password on standard input")


def test_a_password_is_asked_for_only_when_the_rest_is_right(run: Run) -> None:
    person = ["create-user", "--clinic", "sul", "--email", "eva@sul.example", "--name", "Eva"]
    assert run("migrate").returncode == 0
    # Without a clinic nobody is asked: nothing is on standard input, and that is not the reason.
    assert_refused(run(*person), "no clinic sul")
    for slug in ("sul", "norte"):
        assert run("create-clinic", "--slug", slug, "--name", slug).returncode == 0
    assert_refused(run(*person[:3], "--email", "eva", "--name", "Eva"), "not an email address")
    assert run(*person, stdin=f"{PASSWORD}\n").returncode == 0
    joined = run(*person[:1], "--clinic", "norte", *person[3:])
    assert joined.returncode == 0
    assert "The password stays as it is." in joined.stdout


def test_a_password_is_never_an_argument_and_an_unknown_role_is_a_usage_error(run: Run) -> None:
    person = ["create-user", "--clinic", "sul", "--email", "eva@sul.example", "--name", "Eva"]
    assert run(*person, "--password", PASSWORD).returncode == 2
    assert run(*person, "--role", "owner").returncode == 2


def test_on_a_terminal_the_password_is_asked_for_twice_and_not_shown(
    run: Run, path: Path, environment: dict[str, str]
) -> None:
    assert run("create-clinic", "--slug", "sul", "--name", "Sul").returncode == 0
    terminal, other_end = pty.openpty()
    person = ["create-user", "--clinic", "sul", "--email", "eva@sul.example", "--name", "Eva"]
    with subprocess.Popen(
        [sys.executable, "-m", "clinic_chat", *person],
        cwd=PROJECT,
        env=environment,
        stdin=other_end,
        stdout=other_end,
        stderr=other_end,
        start_new_session=True,
    ) as process:
        os.close(other_end)
        shown = b""
        for prompt in (b"Password: ", b"confirmation: "):
            shown += read_until(terminal, prompt)
            os.write(terminal, f"{PASSWORD}\n".encode())
        shown += read_until(terminal, b"receptionist.")
        assert process.wait(timeout=60) == 0
    os.close(terminal)
    assert PASSWORD.encode() not in shown
    assert rows(path, "SELECT email FROM users") == [("eva@sul.example",)]


def read_until(terminal: int, end: bytes) -> bytes:
    shown = b""
    while end not in shown:
        shown += os.read(terminal, 1024)
    return shown


def test_an_import_reports_what_it_did_and_fails_when_a_row_was_skipped(
    run: Run, path: Path, tmp_path: Path
) -> None:
    assert run("create-clinic", "--slug", "sul", "--name", "Sul").returncode == 0
    file = tmp_path / "dialogues.csv"
    file.write_text(CSV)
    first = run("import-dialogues", str(file), "--clinic", "sul")
    assert first.returncode == 1
    assert "Added 2 conversations with 3 messages; 0 were there already; 1 rows" in first.stdout
    assert first.stderr == f"{file}:4: the dialogue does not begin with a speaker\n"
    file.write_text(CSV.replace("2,CC,,nobody speaks\n", ""))
    again = run("import-dialogues", str(file), "--clinic", "sul")
    assert again.returncode == 0
    assert "Added 0 conversations with 0 messages; 2 were there already" in again.stdout
    assert again.stderr == ""
    assert rows(path, "SELECT count(*) FROM messages") == [(3,)]


def test_an_import_of_a_file_that_is_not_there_or_lacks_a_column_is_one_error(
    run: Run, tmp_path: Path
) -> None:
    assert run("create-clinic", "--slug", "sul", "--name", "Sul").returncode == 0
    file = tmp_path / "dialogues.csv"
    assert_refused(run("import-dialogues", str(file), "--clinic", "sul"), "No such file")
    file.write_text("ID,text\n1,a\n")
    assert_refused(run("import-dialogues", str(file), "--clinic", "sul"), "ID and dialogue")
    assert_refused(run("import-dialogues", str(file), "--clinic", "norte"), "no clinic norte")


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("DATABASE_URL", "sqlite+aiosqlite:////nowhere/at/all.db", "unable to open"),
        ("DATABASE_URL", "postgresql+asyncpg://u:secret@127.0.0.1:1/x", "cannot be used"),
        ("DATABASE_URL", "not a url", "CLINIC_CHAT_DATABASE_URL: begin it with sqlite+aiosqlite"),
        ("DATABASE_URL", "mysql://u:secret@db/x", "or postgresql+asyncpg://"),
        ("SECRET_KEY", "secret", "CLINIC_CHAT_SECRET_KEY: a key has at least 32 characters"),
        ("SESSION_DAYS", "many", "CLINIC_CHAT_SESSION_DAYS: "),
    ],
)
def test_a_database_or_setting_that_cannot_be_used_is_one_line(
    run: Run, environment: dict[str, str], variable: str, value: str, reason: str
) -> None:
    environment[f"CLINIC_CHAT_{variable}"] = value
    done = run("migrate")
    assert_refused(done, reason)
    assert "secret" not in done.stderr


@pytest.fixture(scope="module")
def with_eva(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which Eva works in the clinic Sul, as its only admin."""
    path = tmp_path_factory.mktemp("eva") / "cli.db"
    url = {**os.environ, "CLINIC_CHAT_DATABASE_URL": f"sqlite+aiosqlite:///{path}"}
    for arguments in (
        ("create-clinic", "--slug", "sul", "--name", "Sul"),
        ("create-user", "--clinic", "sul", *EVA, "--name", "Eva", "--role", "admin"),
    ):
        made = commands.run(*arguments, stdin=f"{PASSWORD}\n", environment=url)
        assert made.returncode == 0, made.stderr
    return path


@pytest.fixture
def eva(with_eva: Path, path: Path) -> list[str]:
    """Eva works in the clinic Sul, as its only admin; how commands name her."""
    shutil.copy(with_eva, path)
    return EVA


def audited(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What a command recorded on standard error."""
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    return [line["event"] for line in lines if line["logger"] == "audit"]


def sign_in(path: Path, times: int = 1) -> None:
    """Give the only person so many sessions."""
    connection = sqlite3.connect(path)
    with connection:
        for _ in range(times):
            connection.execute(
                "INSERT INTO sessions (id, cookie_hash, user_id, clinic_id, created_at,"
                " signed_in_at, seen_at) SELECT hex(randomblob(16)), hex(randomblob(32)), user_id,"
                " clinic_id, datetime(), datetime(), datetime() FROM memberships"
            )
    connection.close()


def test_a_new_password_ends_the_sessions(run: Run, path: Path, eva: list[str]) -> None:
    before = rows(path, "SELECT password_hash FROM users")
    sign_in(path, 3)
    assert_refused(run("set-password", *eva, stdin="short\n"), "12 to 200 characters")
    assert_refused(run("set-password", *eva, stdin="Sul eva clinic chat\n"), "name or clinic")
    assert rows(path, "SELECT count(*) FROM sessions") == [(3,)]

    done = run("set-password", *eva, stdin="outra tarde no parque\n")

    assert done.returncode == 0, done.stderr
    assert "3 sessions ended" in done.stdout
    assert audited(done) == ["password.set"]
    assert rows(path, "SELECT count(*) FROM sessions") == [(0,)]
    assert rows(path, "SELECT password_hash FROM users") != before
    # Nobody is asked for a password for nobody.
    assert_refused(run("set-password", "--email", "no@sul.example"), "no user no@sul.example")


def test_who_is_deactivated_is_signed_out_and_a_clinic_without_admin_is_named(
    run: Run, path: Path, eva: list[str]
) -> None:
    sign_in(path, 2)
    done = run("deactivate-user", *eva)

    assert done.returncode == 0
    assert "Warning: sul has no active admin now." in done.stderr
    assert audited(done) == ["user.deactivated"]
    assert rows(path, "SELECT count(*) FROM sessions") == [(0,)]
    assert "deactivated" in run("list-users").stdout
    again = run("activate-user", *eva)
    assert audited(again) == ["user.activated"]
    assert "deactivated" not in run("list-users").stdout
    assert_refused(run("deactivate-user", "--email", "no@sul.example"), "no user")
    assert_refused(run("activate-user", "--email", "\x01"), "no user")


def test_sessions_are_ended_and_counted(run: Run, path: Path, eva: list[str]) -> None:
    sign_in(path, 2)
    listed = run("list-users", "--clinic", "sul").stdout.splitlines()
    done = run("end-sessions", *eva)

    assert listed[0].split() == ["CLINIC", "EMAIL", "ROLE", "SESSIONS", "STATE", "NAME"]
    assert listed[1].split() == ["sul", "eva@sul.example", "admin", "2", "active", "Eva"]
    assert done.stdout == "2 sessions of eva@sul.example ended.\n"
    assert audited(done) == ["sessions.ended"]
    assert rows(path, "SELECT count(*) FROM sessions") == [(0,)]
    assert_refused(run("list-users", "--clinic", "norte"), "no clinic norte")


def test_a_lost_second_factor_is_forgotten_with_its_codes_and_sessions(
    run: Run, path: Path, eva: list[str]
) -> None:
    assert_refused(run("remove-second-factor", *eva), "eva@sul.example has no second factor")
    sign_in(path, 2)
    with sqlite3.connect(path) as database:
        (user,) = database.execute("SELECT id FROM users").fetchone()
        database.execute(
            "INSERT INTO second_factors"
            " (user_id, sealed_secret, created_at, confirmed_at, last_step)"
            " VALUES (:user, 'sealed', :day, :day, 0)",
            {"user": user, "day": "2030-01-01 00:00:00.000000"},
        )
        database.execute(
            "INSERT INTO passkeys"
            " (id, user_id, credential_id, public_key, domain, sign_count, name, created_at)"
            " VALUES (:user, :user, 'x', 'x', 'inbox.example', 0, 'x', :day)",
            {"user": user, "day": "2030-01-01 00:00:00.000000"},
        )
    done = run("remove-second-factor", *eva)

    assert done.stdout == "eva@sul.example has no second factor now; 2 sessions ended.\n"
    assert audited(done) == ["second_factor.removed"]
    assert rows(path, "SELECT count(*) FROM second_factors") == [(0,)]
    assert rows(path, "SELECT count(*) FROM passkeys") == [(0,)]
    assert rows(path, "SELECT count(*) FROM sessions") == [(0,)]
    assert_refused(run("remove-second-factor", "--email", "no@sul.example"), "no user")


def test_a_token_is_revoked_by_its_id_or_its_text(run: Run, eva: list[str]) -> None:
    texts = [run("create-token", "--clinic", "sul").stdout.strip() for _ in range(2)]
    listed = run("list-tokens").stdout
    ids = [line.split()[1] for line in listed.splitlines()[1:]]

    by_id, by_text = run("revoke-token", ids[0]), run("revoke-token", "-", stdin=texts[1])

    assert audited(by_id) == audited(by_text) == ["token.revoked"]
    after = run("list-tokens", "--clinic", "sul").stdout
    states = [line.split()[-1] for line in after.splitlines()]
    assert states == ["STATE", "revoked", "revoked"]
    assert not any(text in listed for text in texts)
    assert run("revoke-token", ids[0]).returncode == 0
    for unknown in ("x", "cc_x", ids[0][:-1] + "?"):
        assert_refused(run("revoke-token", unknown), "no such token")


def test_a_taken_port_is_one_line_before_anything_is_built(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--port", str(port))

    assert_refused(done, f"cannot listen on 127.0.0.1, port {port}: Address already in use")


def test_an_import_says_how_far_it_is_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 100.0
    monkeypatch.setattr(data, "monotonic", lambda: clock)
    lines = data.ProgressLines()
    lines.show(1, 900)
    clock += data.SECONDS_BETWEEN_LINES
    for done in (300, 301):
        lines.show(done, 900)

    assert capsys.readouterr().err == "Importing: 300 of 900\n"


def test_only_its_owner_can_read_the_database(run: Run, path: Path) -> None:
    path.touch(mode=0o644)
    assert run("migrate").returncode == 0
    assert oct(path.stat().st_mode & 0o777) == "0o600"
