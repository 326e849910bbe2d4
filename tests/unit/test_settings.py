"""What the settings make of each other, and what they refuse."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from clinic_chat.settings import KEY_FILE, PROJECT_ROOT, Settings


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATA_DIR", "DATABASE_URL", "SECRET_KEY", "TRUSTED_PROXIES"):
        monkeypatch.delenv(f"CLINIC_CHAT_{name}", raising=False)


def test_without_a_folder_everything_is_in_that_of_the_project() -> None:
    settings = Settings()

    assert settings.database_url == f"sqlite+aiosqlite:///{PROJECT_ROOT}/clinic_chat.db"
    assert settings.data_dir == PROJECT_ROOT


def test_database_and_key_are_in_the_folder_for_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLINIC_CHAT_DATA_DIR", str(tmp_path))
    settings = Settings()
    key = settings.signing_key()

    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/clinic_chat.db"
    assert (tmp_path / KEY_FILE).read_bytes() == key
    assert Settings().signing_key() == key


def test_a_relative_folder_stays_where_it_was_when_the_server_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert Settings(data_dir=Path("data")).data_dir == tmp_path / "data"


def test_a_folder_that_is_not_there_is_named_and_another_database_needs_none(
    tmp_path: Path,
) -> None:
    missing = tmp_path / "data"

    with pytest.raises(FileNotFoundError, match=f"{missing} is not a folder"):
        Settings(data_dir=missing).check_data_dir()
    Settings(data_dir=missing, database_url="postgresql+asyncpg://db/x").check_data_dir()
    missing.mkdir()
    Settings(data_dir=missing).check_data_dir()


def test_a_folder_of_another_account_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)

    with pytest.raises(PermissionError, match=f"may not write in {tmp_path}"):
        Settings(data_dir=tmp_path).check_data_dir()


@pytest.mark.parametrize(
    "proxies", ["127.0.0.1,::1", "10.0.0.0/8, 2001:db8::/32", "*", "", "192.0.2.7,"]
)
def test_proxies_are_addresses_and_networks(proxies: str) -> None:
    named = {entry.strip() for entry in proxies.split(",") if entry.strip()}

    assert set(filter(None, Settings(trusted_proxies=proxies).trusted_proxies.split(","))) == named


@pytest.mark.parametrize("proxies", ["caddy", "10.0.0.1/8", "127.0.0.1,*", "10.0.0.0/33", "a b"])
def test_what_would_never_be_a_proxy_is_refused(proxies: str) -> None:
    with pytest.raises(ValidationError, match="neither an address nor a network"):
        Settings(trusted_proxies=proxies)
