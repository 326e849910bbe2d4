"""Runs `clinic_chat …` while noting where its CPU time goes.

A timer of CPU time interrupts it a thousand times a second, and the stack of the main thread
is counted. Started as `python -m tests.load.servers.profiled FILE serve …`; at its end it writes
FILE: one line per stack, outermost first, with how often it was seen (the format of flame graphs).
Counting starts at the first SIGUSR1 and ends at the second.
"""

import atexit
import runpy
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

EVERY_SECONDS = 0.001

_stacks: Counter[tuple[str, ...]] = Counter()
_counting = False


def _note(_signal: int, frame: FrameType | None) -> None:
    stack = []
    while frame is not None:
        code = frame.f_code
        where = "/".join(Path(code.co_filename).parts[-2:])
        stack.append(f"{where}:{code.co_qualname}")
        frame = frame.f_back
    _stacks[tuple(reversed(stack))] += 1


def _switch(*_: Any) -> None:
    global _counting
    _counting = not _counting
    seconds = EVERY_SECONDS if _counting else 0
    signal.setitimer(signal.ITIMER_PROF, seconds, seconds)


def _write(file: Path) -> None:
    signal.setitimer(signal.ITIMER_PROF, 0)
    lines = (f"{';'.join(stack)} {count}\n" for stack, count in _stacks.most_common())
    file.write_text("".join(lines))


if __name__ == "__main__":
    atexit.register(_write, Path(sys.argv.pop(1)))
    signal.signal(signal.SIGPROF, _note)
    signal.signal(signal.SIGUSR1, _switch)
    sys.argv[0] = "clinic_chat"
    runpy.run_module("clinic_chat", run_name="__main__")
