"""A receiver of events in a process of its own, which a test may kill.

`python -m … PORT FILE`: what it takes is a line of the file, durable before it is answered. Every
tenth request is refused.
"""

import base64
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

from tests.support.provider.certificates import ADDRESS


def main(port: int, file: Path) -> None:
    """Take events until the process ends; says when it listens."""
    lock, asked = Lock(), 0

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            nonlocal asked
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                asked += 1
                refuses = asked % 10 == 0
                if not refuses:
                    _keep(file, dict(self.headers.items()), body)
            self.send_response(500 if refuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer((ADDRESS, port), Handler)
    sys.stdout.write("listens\n")
    sys.stdout.flush()
    server.serve_forever()


def _keep(file: Path, headers: dict[str, str], body: bytes) -> None:
    with file.open("a") as lines:
        lines.write(json.dumps([headers, base64.b64encode(body).decode()]) + "\n")
        lines.flush()
        os.fsync(lines.fileno())


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
