"""Every environment variable the application reads, typed, with its default."""

import os
import secrets
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent.parent
KEY_FILE = ".clinic_chat_key"
# As many bytes as the hash has that it keys (RFC 2104 section 3).
KEY_LENGTH = 32
DATABASES = ("sqlite+aiosqlite://", "postgresql+asyncpg://")


class Settings(BaseSettings):
    """The settings of one process; each field is `CLINIC_CHAT_<NAME>` in the environment."""

    model_config = SettingsConfigDict(env_prefix="CLINIC_CHAT_", extra="ignore")

    database_url: str = "sqlite+aiosqlite:///clinic_chat.db"
    redis_url: str | None = None
    secret_key: str = ""
    allowed_origins: Annotated[list[str], NoDecode] = Field(default_factory=list)
    """Origins besides the page's own that may call the server, comma separated."""
    secure_cookies: bool | None = None
    """Whether the session cookie is HTTPS only; by default it follows the request's scheme."""
    trusted_proxies: str = "127.0.0.1"
    """Addresses whose X-Forwarded-* headers are believed, comma separated."""
    session_idle_minutes: int = Field(default=12 * 60, ge=5)
    session_days: int = Field(default=14, ge=1)
    login_attempts_per_minute: int = Field(default=10, ge=1)
    sends_per_minute: int = Field(default=200, ge=1)
    inbound_per_minute: int = Field(default=6000, ge=1)
    max_connections: int = Field(default=10_000, ge=10)
    """Of the process in all; fewer when it may open fewer files."""
    connections_per_address: int = Field(default=2_000, ge=5)
    sockets_per_account: int = Field(default=100, ge=1)
    connects_per_minute: int = Field(default=600, ge=1)
    """Socket connects of one person; an address may ten times as many."""
    events_per_minute: int = Field(default=600, ge=1)
    """State events of one person, sustained; more wait for their turn."""
    requests_per_minute: int = Field(default=30_000, ge=1)
    """HTTP requests of one address."""
    metrics_token: str = ""
    """With it `/metrics` answers whoever has it, without it programs on this machine alone."""
    log_level: str = "INFO"

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        # The value is not quoted: a password may be in it.
        if not value.startswith(DATABASES):
            raise ValueError(f"begin it with {' or '.join(DATABASES)}")
        return value

    @field_validator("secret_key", "metrics_token")
    @classmethod
    def _long_key(cls, value: str) -> str:
        if value:
            check_key(value)
        return value

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        if isinstance(value, str):
            return [origin.strip().rstrip("/") for origin in value.split(",") if origin.strip()]
        return value

    def signing_key(self) -> bytes:
        """Key for hashing session ids and tokens; created beside the project once when unset.

        Raises:
            ValueError: the key file holds no key.
            OSError: it can neither be read nor made.
        """
        return (self.secret_key or _kept_key()).encode()


def check_key(key: str) -> None:
    """Refuse a key that somebody could guess, such as an empty file's.

    Raises:
        ValueError: it is shorter than `KEY_LENGTH`.
    """
    if len(key) < KEY_LENGTH:
        raise ValueError(f"a key has at least {KEY_LENGTH} characters, this one has {len(key)}")


@lru_cache(maxsize=1)
def _kept_key() -> str:
    return key_in(PROJECT_ROOT / KEY_FILE)


def key_in(path: Path) -> str:
    """The key in a file that only its owner can read; a missing one is made.

    Raises:
        ValueError: the file holds no key.
        OSError: it can neither be read nor made.
    """
    if not path.exists():
        _make_key(path)
    path.chmod(0o600)
    key = path.read_text().strip()
    try:
        check_key(key)
    except ValueError as error:
        raise ValueError(
            f"{path.name}: {error}; restore the file, or remove it to make a new key, with which "
            "everybody has to sign in again"
        ) from None
    return key


def _make_key(path: Path) -> None:
    # Whole before it has its name: of processes that start together none reads half of it.
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Settings of this process, read from the environment once."""
    return Settings()
