"""How fast the servers' core is meanwhile: on a shared machine others can make it slower.

A fixed loop takes from 0.5 to 1 ms of CPU on one and the same core, for seconds or minutes at a
time, and everything that a server does takes as much longer.
`python -m tests.load.measurements.core_speed FILE` runs it four times a second and writes when and
how long; `CoreSpeed` starts that and reads it.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.load.measurements.figures import percentile
from tests.load.servers.process import on_cores, server_cores

EVERY_SECONDS = 0.25
TURNS = 10_000
# The fastest one may have been lucky.
AT_FULL_SPEED = 0.05


class CoreSpeed:
    """What was seen of the core's speed in this run."""

    def __init__(self) -> None:
        self._file: Path | None = None

    @contextmanager
    def watched(self, file: Path) -> Iterator[None]:
        """Look at the core while the block runs, which takes less than 0.5 % of it."""
        file.touch()
        self._file = file
        command = [sys.executable, "-m", "tests.load.measurements.core_speed", str(file)]
        with on_cores(server_cores()):
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        try:
            yield
        finally:
            self._file = None
            process.kill()
            process.wait()

    def slowdown(self, began: float) -> float:
        """How many times as long as at full speed everything took since `began` (monotonic).

        Full speed is the fastest that was seen in this run; 1.0 while nothing was seen.
        """
        if self._file is None:
            return 1.0
        looks = [tuple(map(float, line.split())) for line in self._file.read_text().splitlines()]
        since = [seconds for at, seconds in looks if at >= began]
        if not since:
            return 1.0
        full = percentile(sorted(seconds for _, seconds in looks), AT_FULL_SPEED)
        return round(sum(since) / len(since) / full, 2)


SERVERS_CORE = CoreSpeed()


def _watch(file: Path) -> None:
    with file.open("a", buffering=1) as output:
        while True:
            before = time.process_time()
            _loop()
            seconds = time.process_time() - before
            output.write(f"{time.monotonic()} {seconds}\n")
            time.sleep(EVERY_SECONDS)


def _loop() -> int:
    total = 0
    for number in range(TURNS):
        total += number * number
    return total


if __name__ == "__main__":
    _watch(Path(sys.argv[1]))
