"""Runs `clinic_chat …` and says what is alive in it, to whoever asks on a Unix socket.

Started as `python -m tests.load.servers.observed SOCKET serve …`. Each connection to SOCKET gets
one JSON object and is closed: see `Alive`.
"""

import gc
import json
import runpy
import socket
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

# Of whom a growing number of objects says what was forgotten.
WATCHED = ("asyncio", "clinic_chat", "engineio", "reflex", "socketio", "uvicorn", "websockets")
ANSWER_SECONDS = 120


@dataclass(frozen=True)
class Alive:
    """What a server holds after a full collection."""

    objects: int
    """Objects that the collector tracks."""
    bytes: int
    """Their size (`sys.getsizeof`) with the strings and bytes that they hold."""
    types: dict[str, int]
    """How many there are of each class of the server's own packages."""


def alive(path: Path) -> Alive:
    """Ask the server that listens on `path`."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(ANSWER_SECONDS)
        asking.connect(str(path))
        parts = []
        while part := asking.recv(65_536):
            parts.append(part)
    return Alive(**json.loads(b"".join(parts)))


def count() -> Alive:
    """What is alive in this process."""
    # What was there at the start is frozen, and may hold what came later.
    gc.unfreeze()
    gc.collect()
    objects = gc.get_objects()
    types: Counter[str] = Counter()
    total = 0
    untracked: set[int] = set()
    for each in objects:
        kind = type(each)
        total += _size(each)
        module = kind.__module__
        # Some libraries have a property in its place.
        if isinstance(module, str) and module.partition(".")[0] in WATCHED:
            types[f"{module}.{kind.__qualname__}"] += 1
        for held in gc.get_referents(each):
            # Containers without anything inside are not tracked, and are small.
            if isinstance(held, (str, bytes, bytearray)) and id(held) not in untracked:
                untracked.add(id(held))
                total += sys.getsizeof(held)
    return Alive(len(objects), total, dict(types))


def _size(each: object) -> int:
    try:
        return sys.getsizeof(each, 0)
    except Exception:
        # A class, whose method for its instances this would be, or a proxy of what is gone.
        return 0


def answer(path: Path) -> None:
    """Listen on `path` until the process ends."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        while True:
            asking, _ = listener.accept()
            with asking:
                asking.sendall(json.dumps(vars(count())).encode())


if __name__ == "__main__":
    threading.Thread(target=answer, args=(Path(sys.argv.pop(1)),), daemon=True).start()
    sys.argv[0] = "clinic_chat"
    runpy.run_module("clinic_chat", run_name="__main__")
