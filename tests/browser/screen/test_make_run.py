"""`make run` in a fresh copy of the project: a newcomer's first command."""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from time import monotonic

import httpx
import pytest_asyncio
from playwright.async_api import Browser, expect

from clinic_chat.demo import DEMO_PASSWORD
from tests.support.browser.page_errors import Complaints
from tests.support.browser.pages import composer, live, message, rows
from tests.support.people import ANA
from tests.support.servers.ports import HOST
from tests.support.servers.server import PROJECT

# The first start installs what the front end is built of.
START_SECONDS = 240
STOP_SECONDS = 20
CHECK_SECONDS = 0.2
LEFT_OUT = (".git", ".venv", ".web", ".states", ".*_cache", ".hypothesis", "*.db*", "__pycache__")
OTHER_LOOPBACK = "127.0.0.2"


class DevelopmentServer:
    """`make run` in a folder, on ports of its own."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.front, self.back = _free_ports()
        self.origin = f"http://{HOST}:{self.front}"
        self.log = project.parent / "make-run.log"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CLINIC_CHAT_")}
        environment |= {
            "REFLEX_FRONTEND_PORT": str(self.front),
            "REFLEX_BACKEND_PORT": str(self.back),
            "CLINIC_CHAT_ALLOWED_ORIGINS": f'["{self.origin}"]',
        }
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                ["make", "run"],
                cwd=project,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def ready(self) -> None:
        """Return when both halves answer."""
        give_up = monotonic() + START_SECONDS
        async with httpx.AsyncClient() as client:
            while monotonic() < give_up:
                assert self._process.poll() is None, self.log.read_text()
                with suppress(httpx.TransportError):
                    page = await client.get(f"{self.origin}/login")
                    ready = await client.get(f"http://{HOST}:{self.back}/readyz")
                    if page.status_code == ready.status_code == 200:
                        return
                await asyncio.sleep(CHECK_SECONDS)
        raise AssertionError(self.log.read_text())

    def stop(self) -> None:
        """End it as Control-C in a terminal does, which reaches every process of it."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGINT)
        try:
            self._process.wait(STOP_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


@pytest_asyncio.fixture(loop_scope="session")
async def make_run(tmp_path: Path) -> AsyncIterator[DevelopmentServer]:
    project = tmp_path / "clinic-chat"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (project / ".venv").symlink_to(PROJECT / ".venv")
    server = DevelopmentServer(project)
    try:
        await server.ready()
        yield server
    finally:
        server.stop()


async def test_a_newcomer_signs_in_and_answers_a_patient(
    make_run: DevelopmentServer, browser: Browser, complaints: Complaints
) -> None:
    before = _files(PROJECT)
    context = await browser.new_context(base_url=make_run.origin, locale="pt-BR")
    page = await context.new_page()
    complaints.listen(page)
    try:
        await page.goto("/login")
        await page.get_by_label("E-mail").fill(ANA)
        await page.get_by_label("Senha", exact=True).fill(DEMO_PASSWORD)
        await page.get_by_role("button", name="Entrar", exact=True).click()
        await live(page)
        await rows(page).first.click()
        await composer(page).fill("Pode vir às 15h.")
        await composer(page).press("Enter")
        await expect(message(page, "Pode vir às 15h.")).to_have_attribute("data-status", "sent")
    finally:
        await context.close()

    said = make_run.log.read_text()
    assert f"demo: {ANA}" in said
    # What it writes itself is no reason to begin anew, in the middle of a first look.
    assert said.count("Compiling") == 1, said
    assert not re.search(r"warning|error|traceback|failed", said, re.IGNORECASE), said
    # Its password is published: what listens on every address would answer on this one too.
    for port in (make_run.front, make_run.back):
        with socket.socket() as probe:
            assert probe.connect_ex((OTHER_LOOPBACK, port)) != 0, port
    assert _files(make_run.project) == before


def _files(project: Path) -> dict[str, bytes]:
    """What is in the project, without what `.gitignore` names."""
    kept = shutil.ignore_patterns(*LEFT_OUT, ".clinic_chat_key", "external", "output")
    found: dict[str, bytes] = {}
    for folder, folders, names in os.walk(project):
        ignored = kept(folder, [*folders, *names])
        folders[:] = [name for name in folders if name not in ignored]
        for path in (Path(folder, name) for name in names if name not in ignored):
            found[str(path.relative_to(project))] = path.read_bytes()
    return found


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind((HOST, 0))
        second.bind((HOST, 0))
        return first.getsockname()[1], second.getsockname()[1]
