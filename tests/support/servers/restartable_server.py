"""A server with the front end that starts within a moment, for tests that end it or change much."""

from contextlib import closing
from pathlib import Path

from clinic_chat.storage.sqlite.library import sqlite3
from tests.support.servers.forked_server import ForkedServer
from tests.support.servers.server import QUICK_SETTINGS, Server


class QuickServer(ForkedServer):
    """Servers with copies of another server's data, one after the other on one port.

    The application is imported once for all of them, which takes seconds.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "data"
        self._token = ""
        database = self._folder / "clinic_chat.db"
        super().__init__(database, folder / "server.log", front_end=True, **QUICK_SETTINGS)

    def begin(self, like: Server) -> None:
        """Start with a copy of the other's data, in which nobody is signed in."""
        # The copy has to know the token.
        self._token = like.token()
        self._folder.mkdir()
        with (
            closing(sqlite3.connect(like.database)) as theirs,
            closing(sqlite3.connect(self.database)) as ours,
        ):
            theirs.backup(ours)
            ours.execute("DELETE FROM sessions")
            ours.commit()
        self.start()

    def end(self) -> None:
        """End the server, if it runs, and delete the copy."""
        if self.is_running:
            self.kill()
        for file in self._folder.iterdir():
            file.unlink()
        self._folder.rmdir()

    def token(self, clinic: str = "aurora") -> str:
        """The API token of the clinic Aurora."""
        assert clinic == "aurora"
        return self._token
