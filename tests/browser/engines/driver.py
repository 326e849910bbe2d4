"""Starts the other browsers, each under the WebDriver that its maker wrote."""

import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from uuid import uuid4

from selenium import webdriver
from selenium.webdriver.common.options import ArgOptions
from selenium.webdriver.remote.webdriver import WebDriver

from tests.browser.engines.programs import FIREFOX, WEBKIT_GTK, Engine, Programs, programs
from tests.support.servers.ports import HOST, free_port

START_SECONDS = 30
QUIT_SECONDS = 10
CHECK_SECONDS = 0.02
SCREEN = "1680x1100x24"


@contextmanager
def started(engine: Engine) -> Iterator[WebDriver]:
    """A browser of this engine; with the block all of its processes end."""
    found = programs(engine)
    with tempfile.TemporaryDirectory(prefix="clinic-chat-engine-") as home, _display(found) as env:
        # A home of its own: a profile that is kept would remember the last test's session.
        env |= {"HOME": home, "XDG_RUNTIME_DIR": home}
        port = free_port()
        driver = subprocess.Popen(
            _command(engine, found, port),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            _listens(driver, port)
            browser = webdriver.Remote(f"http://{HOST}:{port}", options=_options(engine, found))
            try:
                yield browser
            finally:
                with suppress(Exception):
                    browser.quit()
        finally:
            _end_group(driver)


def _command(engine: Engine, found: Programs, port: int) -> list[str]:
    if engine is FIREFOX:
        # Its port for the browser's side would else be the same in every driver.
        return [found.driver, f"--port={port}", "--websocket-port=0"]
    return [found.driver, f"--port={port}"]


def _options(engine: Engine, found: Programs) -> ArgOptions:
    if engine is FIREFOX:
        firefox = webdriver.FirefoxOptions()
        firefox.binary_location = found.browser
        firefox.add_argument("-headless")
        return firefox
    if engine is WEBKIT_GTK:
        gtk = webdriver.WebKitGTKOptions()
        gtk.binary_location = found.browser
        gtk.add_argument("--automation")
        return gtk
    wpe = webdriver.WPEWebKitOptions()
    wpe.binary_location = found.browser
    # The driver knows the browser by this name; two of the same id would be one.
    wpe.set_capability("browserName", "cog")
    for argument in (
        "--automation",
        "--platform=headless",
        f"--gapplication-app-id=chat.clinic.test{uuid4().hex}",
    ):
        wpe.add_argument(argument)
    return wpe


@contextmanager
def _display(found: Programs) -> Iterator[dict[str, str]]:
    """The environment for a browser, with a display in memory where it needs one."""
    environment = {k: v for k, v in os.environ.items() if k not in {"DISPLAY", "WAYLAND_DISPLAY"}}
    if not found.display:
        yield environment
        return
    with subprocess.Popen(
        [found.display, "-displayfd", "1", "-screen", "0", SCREEN, "-nolisten", "tcp"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdout is not None
        number = server.stdout.readline().strip()
        assert number, "Xvfb ended at its start"
        try:
            yield {**environment, "DISPLAY": f":{number}"}
        finally:
            server.terminate()


def _listens(driver: subprocess.Popen[bytes], port: int) -> None:
    give_up = monotonic() + START_SECONDS
    while monotonic() < give_up:
        assert driver.poll() is None, f"{driver.args!r} ended at its start"
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        sleep(CHECK_SECONDS)
    raise AssertionError(f"{driver.args!r} does not listen")


def _end_group(driver: subprocess.Popen[bytes]) -> None:
    # Cog outlives its driver: they are of one process group, and so are WebKit's own processes.
    with suppress(ProcessLookupError):
        os.killpg(driver.pid, signal.SIGTERM)
    try:
        driver.wait(QUIT_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()
