"""Tabs: the modules of assets/live, run by Bun, with time and network in the test's hands."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from clinic_chat.ui.build import plugin
from clinic_chat.ui.build.constants import constants_module
from clinic_chat.ui.build.texts import error_texts_module

PROJECT = Path(__file__).parents[3]
BUN = Path(sys.executable).parent / "bun"
DRIVER = Path(__file__).parent / "tab" / "driver.js"
QUIT_SECONDS = 10
INSTALL_SECONDS = 120

Json = dict[str, Any]


@dataclass(frozen=True)
class Sent:
    """Something a tab emitted; `number` is that of the answer it waits for, 0 for none."""

    event: str
    data: Any
    number: int


@dataclass(frozen=True)
class Reaction:
    """What a tab did in answer to a command."""

    sent: list[Sent]
    dialled: Json | None
    """With what it asked to be connected, if it did."""
    hung_up: bool
    went: str | None
    """The address it went to by itself."""
    left: str | None
    """The address for which it left the page."""
    result: Any


class Browser:
    """One Bun process with many tabs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Self]:
        """A process that ends with the block."""
        with (
            tempfile.TemporaryDirectory() as folder,
            subprocess.Popen(
                [BUN, DRIVER, _libraries(), _built_modules(Path(folder))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            ) as process,
        ):
            try:
                yield cls(process)
            finally:
                assert process.stdin is not None
                process.stdin.close()
                process.wait(QUIT_SECONDS)

    def reset(self) -> None:
        """Close every tab and forget what devices have stored."""
        self._ask({"do": "reset"})

    def stored(self, device: str, **keep: str) -> dict[str, str]:
        """What a device's browser keeps for its pages, with `keep` beside it."""
        stored: dict[str, str] = self._ask({"do": "stored", "device": device, "keep": keep})[
            "stored"
        ]
        return stored

    def tell(self, tab: int, what: str, **details: Any) -> Reaction:
        """Have a tab do something that the driver knows."""
        answer = self._ask({"tab": tab, "do": what, **details})
        assert "failed" not in answer, answer["failed"]
        return Reaction(
            [Sent(**sent) for sent in answer["out"]],
            answer["dialled"],
            answer["hungUp"],
            answer["went"],
            answer["left"],
            answer["result"],
        )

    def _ask(self, command: Json) -> Json:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "Bun ended"
        answer: Json = json.loads(line)
        return answer


def _built_modules(folder: Path) -> Path:
    for name, text in (constants_module(), error_texts_module()):
        Path(folder, Path(name).name).write_text(text)
    return folder


def _libraries() -> Path:
    """Where the npm packages are that the modules really use here, installed at the first use."""
    name, version = plugin.CIPHERS, plugin.PACKAGES[plugin.CIPHERS]
    installed = PROJECT / ".pytest_cache" / f"ciphers-{version}"
    if not installed.exists():
        installed.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=installed.parent) as folder:
            Path(folder, "package.json").write_text("{}")
            subprocess.run(
                [BUN, "add", "--exact", f"{name}@{version}"],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=INSTALL_SECONDS,
                check=True,
            )
            # Another process may have been quicker.
            with suppress(OSError):
                Path(folder, "node_modules").rename(installed)
    return installed
