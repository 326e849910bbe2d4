"""Settings: every environment variable the application reads, typed, with its default."""

import ipaddress
import os
import secrets
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent.parent
KEY_FILE = ".clinic_chat_key"
DATABASE_FILE = "clinic_chat.db"
# The output length, in bytes, of the hash that it keys (RFC 2104 section 3).
KEY_LENGTH = 32
DATABASES = ("sqlite+aiosqlite://", "postgresql+asyncpg://")
EVERYBODY = "*"


def _database_in_data_dir(known: dict[str, Any]) -> str:
    # What is wrong with the folder is said of the folder.
    return f"sqlite+aiosqlite:///{known.get('data_dir', PROJECT_ROOT) / DATABASE_FILE}"


class Settings(BaseSettings):
    """The settings of one process; each field is `CLINIC_CHAT_<NAME>` in the environment."""

    model_config = SettingsConfigDict(env_prefix="CLINIC_CHAT_", extra="ignore")

    data_dir: Path = PROJECT_ROOT
    """The folder for everything that is kept: the database, unless it is elsewhere, and the key."""
    database_url: str = Field(default_factory=_database_in_data_dir)
    redis_url: str | None = None
    processes_dir: Path | None = None
    """Where the processes of one `serve` reach each other; it sets this for them."""
    secret_key: str = ""
    allowed_origins: Annotated[list[str], NoDecode] = Field(default_factory=list)
    """Origins besides the page's own that may call the server, comma separated."""
    secure_cookies: bool | None = None
    """Whether the session cookie is HTTPS only; by default it follows the request's scheme."""
    # Both, because a proxy that is told `localhost` may come by either.
    trusted_proxies: str = "127.0.0.1,::1"
    """Addresses and networks whose X-Forwarded-* headers are believed, comma separated."""
    events_kept_days: int = Field(default=30, ge=1)
    """So long the log of events is kept; who was away for longer gets everything anew."""
    session_idle_minutes: int = Field(default=12 * 60, ge=5)
    session_days: int = Field(default=14, ge=1)
    login_attempts_per_minute: int = Field(default=10, ge=1)
    sends_per_minute: int = Field(default=200, ge=1)
    inbound_per_minute: int = Field(default=6000, ge=1)
    """Deliveries and receipts of one token."""
    api_per_minute: int = Field(default=1200, ge=1)
    """Every other request of one token."""
    max_connections: int = Field(default=10_000, ge=10)
    """TCP connections of the process; fewer when its limit of open files is lower."""
    connections_per_address: int = Field(default=2_000, ge=5)
    sockets_per_account: int = Field(default=100, ge=1)
    connects_per_minute: int = Field(default=600, ge=1)
    """Socket connects of one person; an address may make ten times as many."""
    events_per_minute: int = Field(default=600, ge=1)
    """State events of one person, sustained; more are delayed."""
    requests_per_minute: int = Field(default=30_000, ge=1)
    """HTTP requests of one address."""
    cache_memory_mb: int = Field(default=32, ge=1)
    """What the process keeps in memory of what the database has."""
    cache_redis_mb: int = Field(default=128, ge=0)
    """What all processes keep of it in Redis; 0 for nothing."""
    metrics_token: str = ""
    """With it `/metrics` answers whoever has it, without it programs on this machine alone."""
    log_level: str = "INFO"
    outbound_private_hosts: Annotated[list[str], NoDecode] = Field(default_factory=list)
    """Hosts that clinics' providers and webhooks may be at although they are not public."""
    outbound_ca_file: Path | None = None
    """Certificates of authorities (PEM) that outbound requests believe besides the usual ones."""
    backup_dir: Path | None = None
    """Where backups are put that the server makes by itself."""
    backup_every_hours: float = Field(default=0, ge=0, le=24 * 366)
    """0: the server makes none by itself, but before it migrates."""
    backup_keep: int = Field(default=7, ge=1)
    """So many of the newest, besides one a day for a week and one a week for a month."""
    backup_encrypt_to: Annotated[list[str], NoDecode] = Field(default_factory=list)
    """Public keys (age1…) of those who may open backups, comma separated."""

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        # The value is not quoted: a password may be in it.
        if not value.startswith(DATABASES):
            raise ValueError(f"begin it with {' or '.join(DATABASES)}")
        return value

    @field_validator("data_dir")
    @classmethod
    def _absolute_folder(cls, value: Path) -> Path:
        if "?" in str(value):
            raise ValueError("a question mark would end the name of the database in it")
        return value.expanduser().absolute()

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, value: str) -> str:
        entries = [entry.strip() for entry in value.split(",") if entry.strip()]
        if entries != [EVERYBODY]:
            for entry in entries:
                _check_network(entry)
        return ",".join(entries)

    @field_validator("secret_key", "metrics_token")
    @classmethod
    def _long_key(cls, value: str) -> str:
        if value:
            check_key(value)
        return value

    @field_validator("backup_dir", "outbound_ca_file", mode="before")
    @classmethod
    def _no_folder(cls, value: object) -> object:
        return value or None

    @field_validator("backup_every_hours")
    @classmethod
    def _has_folder(cls, value: float, info: ValidationInfo) -> float:
        if value and not info.data.get("backup_dir"):
            raise ValueError("say in CLINIC_CHAT_BACKUP_DIR where backups are put")
        return value

    @field_validator("backup_encrypt_to", mode="before")
    @classmethod
    def _split_recipients(cls, value: object) -> object:
        if isinstance(value, str):
            return [key.strip() for key in value.split(",") if key.strip()]
        return value

    @field_validator("outbound_private_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        if isinstance(value, str):
            return [host.strip().lower() for host in value.split(",") if host.strip()]
        return value

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        if isinstance(value, str):
            return [origin.strip().rstrip("/") for origin in value.split(",") if origin.strip()]
        return value

    def signing_key(self) -> bytes:
        """The key for hashing session ids and tokens; when unset, that of the file in `data_dir`.

        Raises:
            ValueError: the key file holds no key.
            OSError: the key file can neither be read nor made.
        """
        return (self.secret_key or _kept_key(self.key_file)).encode()

    @property
    def key_file(self) -> Path:
        """The file that keeps the key when `secret_key` is unset."""
        return self.data_dir / KEY_FILE

    def check_data_dir(self) -> None:
        """Refuse a folder in which the database that lies there could not be written.

        Raises:
            OSError: it is not there, or another account's.
        """
        if self.database_url != _database_in_data_dir({"data_dir": self.data_dir}):
            return
        if not self.data_dir.is_dir():
            raise FileNotFoundError(f"{self.data_dir} is not a folder")
        if not os.access(self.data_dir, os.W_OK | os.X_OK):
            raise PermissionError(f"the account {os.geteuid()} may not write in {self.data_dir}")


def check_key(key: str) -> None:
    """Refuse a key that is short enough to be guessed, such as that of an empty file.

    Raises:
        ValueError: the key is shorter than `KEY_LENGTH`.
    """
    if len(key) < KEY_LENGTH:
        raise ValueError(f"a key has at least {KEY_LENGTH} characters, this one has {len(key)}")


def _check_network(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        # The library's own words do not say what is wrong with a name or with 10.0.0.1/8.
        raise ValueError(
            f"{text} is neither an address nor a network, such as 192.0.2.7 or 10.0.0.0/8"
        ) from None


@lru_cache(maxsize=1)
def _kept_key(path: Path) -> str:
    return key_in(path)


def key_in(path: Path) -> str:
    """The key in a file that only its owner can read; a missing file is made.

    Raises:
        ValueError: the file holds no key.
        OSError: the file can neither be read nor made.
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
    # Written in full before it gets its name, so that no process starting now reads half a key.
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
