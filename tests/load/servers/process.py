"""A server as its own process: started on its own core, measured from outside, ended."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

STOP_SECONDS = 20
LOG_TAIL = 4_000
PAGE_KB = os.sysconf("SC_PAGE_SIZE") / 1024


class Measurable(Protocol):
    """A process, or several that are measured as one."""

    def cpu(self) -> float:
        """Seconds of CPU that it has used, all threads, user and system."""

    def resident_kb(self) -> float:
        """Resident memory in KB."""


class Process:
    """A started server; `command` runs in `folder` and writes to `log`."""

    def __init__(
        self, command: Sequence[str], folder: Path, environment: dict[str, str], log: Path
    ) -> None:
        self._log = log
        with log.open("ab") as output, on_cores(server_cores()):
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        # The clock of all CPU time of a process (clock_getcpuclockid(3)), to the nanosecond.
        self._clock = (~self._process.pid) << 3 | 2

    def cpu(self) -> float:
        """Seconds of CPU that the process has used, all threads, user and system."""
        return time.clock_gettime(self._clock)

    def resident_kb(self) -> float:
        """Resident memory in KB."""
        statm = Path(f"/proc/{self._process.pid}/statm").read_text()
        return int(statm.split()[1]) * PAGE_KB

    def ended(self) -> bool:
        """Whether the process is over."""
        return self._process.poll() is not None

    def tail(self) -> str:
        """The end of what it wrote."""
        return self._log.read_text(errors="replace")[-LOG_TAIL:]

    def toggle_profile(self) -> None:
        """Begin or end counting where the time goes, in a server of `servers.profiled`."""
        self._process.send_signal(signal.SIGUSR1)

    def stop(self) -> None:
        """End it as an operator does, or by force when that takes too long."""
        if self.ended():
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def server_cores() -> set[int]:
    """The cores for servers: the first, when the generator can have another."""
    cores = sorted(_all_cores)
    return set(cores[:1]) if len(cores) > 1 else set(cores)


def pin_generator() -> None:
    """Leave the servers' core alone when there is another."""
    others = _all_cores - server_cores()
    if others:
        os.sched_setaffinity(0, {min(others)})


@contextmanager
def on_cores(cores: set[int]) -> Iterator[None]:
    """Processes that are started within run on these cores."""
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, ours)


_all_cores = os.sched_getaffinity(0)
