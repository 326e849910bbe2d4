"""A server with the front end that starts within a moment, for tests that end it often."""

from contextlib import closing
from pathlib import Path

from clinic_chat.storage.sqlite.library import sqlite3
from tests.support.servers.forked_server import ForkedServer
from tests.support.servers.server import SETTINGS, Server


class QuickServer(ForkedServer):
    """Servers with a copy of another server's data, one after the other on one port."""

    def __init__(self, like: Server, folder: Path) -> None:
        # The copy has to know the token.
        self._token = like.token()
        database = folder / "clinic_chat.db"
        with (
            closing(sqlite3.connect(like.database)) as theirs,
            closing(sqlite3.connect(database)) as ours,
        ):
            theirs.backup(ours)
        settings = {
            name.removeprefix("CLINIC_CHAT_").lower(): value for name, value in SETTINGS.items()
        }
        super().__init__(database, folder / "server.log", front_end=True, **settings)
        self.start()

    def token(self, clinic: str = "aurora") -> str:
        """The API token of the clinic Aurora."""
        assert clinic == "aurora"
        return self._token
