"""`python -m clinic_chat health`, by which a container knows how its server is."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from typer.testing import CliRunner

from clinic_chat.cli import app
from tests.support.servers.ports import free_port

READY = '{"status":"ok"}'


@contextmanager
def answering(status: int, body: str) -> Iterator[list[str]]:
    """A server that gives every question this answer: its port, then what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        asked = [str(server.server_port)]
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield asked
        server.shutdown()
        thread.join()


def test_a_server_that_can_work_is_healthy() -> None:
    with answering(200, READY) as asked:
        done = CliRunner().invoke(app, ["health", "--port", asked[0]])

    assert (done.exit_code, done.stdout) == (0, f"{READY}\n")
    assert asked[1:] == ["/readyz"]


def test_a_server_without_its_database_is_not() -> None:
    with answering(503, "no database") as asked:
        done = CliRunner().invoke(app, ["health", "--port", asked[0]])

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "clinic_chat: not ready: no database\n"


def test_nor_is_none_at_all() -> None:
    port = free_port()
    done = CliRunner().invoke(app, ["health", "--port", str(port)])

    assert done.exit_code == 1
    assert done.stderr.startswith(f"clinic_chat: no answer from 127.0.0.1, port {port}: ")
