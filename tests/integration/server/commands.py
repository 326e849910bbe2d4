"""Commands of the command line, each in a process of its own that starts within a moment.

What commands import is imported once, in a process that forks for each of them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import clinic_chat
from clinic_chat.cli import app

PROJECT = Path(clinic_chat.__file__).parent.parent
COMMAND = "clinic_chat"

Run = Callable[..., subprocess.CompletedProcess[str]]


class Commands:
    """Runs commands to their end, one after the other."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self._process = process
        self._folder = folder

    def run(
        self, *arguments: str, stdin: str, environment: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """What `python -m clinic_chat …` wrote, and its exit code."""
        assert self._process.stdin
        assert self._process.stdout
        files = [self._folder / name for name in ("stdin", "stdout", "stderr")]
        files[0].write_text(stdin)
        wanted = {
            "arguments": arguments,
            "environment": environment,
            "files": [str(file) for file in files],
        }
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        return subprocess.CompletedProcess(
            arguments, code, files[1].read_text(), files[2].read_text()
        )


@contextmanager
def ready_commands(folder: Path) -> Iterator[Commands]:
    """Commands whose input and output are kept in files of this folder."""
    command = [sys.executable, "-m", "tests.integration.server.commands"]
    with subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Commands(process, folder)
        process.communicate()


def main() -> None:
    """Run each command that a line asks for; write its exit code."""
    # What commands import when they need it.
    for name in (
        "demo",
        "domain.imports.importer",
        "domain.tables",
        "domain.accounts.api_tokens",
        "storage.migrate",
    ):
        import_module(f"clinic_chat.{name}")
    for name in ("rich.progress", "typer.rich_utils", "aiosqlite", "asyncpg"):
        import_module(name)

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become(wanted: dict[str, Any]) -> NoReturn:
    source, *sinks = wanted["files"]
    os.dup2(os.open(source, os.O_RDONLY), 0)
    for number, sink in enumerate(sinks, start=1):
        os.dup2(os.open(sink, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.environ.clear()
    os.environ.update(wanted["environment"])
    sys.stdin = os.fdopen(0, closefd=False)
    sys.argv = [COMMAND, *wanted["arguments"]]
    try:
        app()
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        # To tidy up all that was imported takes longer than most commands.
        os._exit(int(end.code or 0))
    raise AssertionError("a command always exits")


if __name__ == "__main__":
    main()
