"""A volume that an earlier release made: it is migrated whole, and people sign in as before."""

import gzip
from contextlib import closing
from pathlib import Path
from typing import Any

import pyotp
import pytest

from clinic_chat.backups.upgrade import upgrade
from clinic_chat.demo import DEMO_PASSWORD
from clinic_chat.doctor.examination import examine
from clinic_chat.doctor.finding import Verdict
from clinic_chat.domain.accounts.sessions import SecondFactorNeeded
from clinic_chat.domain.clinics.scope import ClinicScope
from clinic_chat.domain.queries.inbox import list_conversations
from clinic_chat.services import Services
from clinic_chat.settings import KEY_FILE, Settings
from clinic_chat.storage.sqlite.library import sqlite3

VOLUMES = Path(__file__).parent / "volumes"
# Of the Ana of the volume 0009.
APP = pyotp.TOTP("NEV47Z26W7PO4RLJNYIJH5ME6M553IA5")
MESSAGES = (
    "SELECT id, conversation_id, seq, direction, author_name, body, client_id FROM messages "
    "ORDER BY conversation_id, seq"
)


def messages_in(database: Path) -> list[Any]:
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.execute(MESSAGES))


@pytest.fixture(params=["0005", "0009"])
def volume(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """The settings of a server whose `/data` an earlier release has made."""
    name = request.param
    (tmp_path / "clinic_chat.db").write_bytes(
        gzip.decompress((VOLUMES / f"{name}.db.gz").read_bytes())
    )
    key = VOLUMES / f"{name}.key"
    if key.exists():
        (tmp_path / KEY_FILE).write_text(key.read_text())
    return Settings(data_dir=tmp_path)


async def test_it_is_migrated_whole_and_opens_as_before(volume: Settings) -> None:
    database = volume.data_dir / "clinic_chat.db"
    before = messages_in(database)
    assert len(before) > 100

    await upgrade(volume)

    assert messages_in(database) == before
    services = Services(volume)
    try:
        try:
            cookie = await services.sessions.sign_in("ana@aurora.example", DEMO_PASSWORD)
        except SecondFactorNeeded as needed:
            cookie = await services.sessions.finish_sign_in(needed.user_id, APP.now())
        ana = await services.sessions.find(cookie)
        assert ana is not None
        scope = ClinicScope(services.database, ana.clinic_id, ana.actor)
        page = await list_conversations(scope)
        assert page.rows
    finally:
        await services.close()
    wrong = [finding for finding in await examine(volume) if finding.verdict == Verdict.WRONG]
    assert wrong == []
