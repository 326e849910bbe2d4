"""Every environment variable the application reads, typed, with its default."""

import secrets
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent.parent
KEY_FILE = ".clinic_chat_key"


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
    log_level: str = "INFO"

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        if isinstance(value, str):
            return [origin.strip().rstrip("/") for origin in value.split(",") if origin.strip()]
        return value

    def signing_key(self) -> bytes:
        """Key for hashing session ids and tokens; created beside the project once when unset."""
        return (self.secret_key or _generated_secret()).encode()


@lru_cache(maxsize=1)
def _generated_secret() -> str:
    path = PROJECT_ROOT / KEY_FILE
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        secret = secrets.token_urlsafe(48)
        path.touch(mode=0o600)
        path.write_text(secret)
        return secret


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Settings of this process, read from the environment once."""
    return Settings()
