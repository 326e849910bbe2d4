"""What is in an archive: its first member says it, and each other one is compared with it."""

from datetime import datetime
from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from clinic_chat.backups.errors import BackupError

MANIFEST = "manifest.json"
SQLITE = "database.sqlite"
POSTGRESQL = "database.pgdump"
KEY = "clinic_chat_key"
FILES = "files"
"""Beside the database, and in the archive: what messages refer to."""
# Some hundred thousand files.
MANIFEST_LIMIT = 64 * 1024 * 1024


class KeyPlace(StrEnum):
    """Where the key is that belongs to a backup."""

    INCLUDED = "included"
    LEFT_OUT = "left out"
    ENVIRONMENT = "in CLINIC_CHAT_SECRET_KEY"
    NONE = "not made yet"


class Member(BaseModel):
    """A file in the archive."""

    model_config = ConfigDict(frozen=True)

    name: str
    size: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

    @field_validator("name")
    @classmethod
    def _stays_inside(cls, value: str) -> str:
        folder, *parts = value.split("/")
        nested = folder == FILES and parts and not {"", ".", ".."} & set(parts)
        if not (nested or value in (SQLITE, POSTGRESQL, KEY)) or {"\\", "\0"} & set(value):
            raise ValueError("not a name of a member")
        return value


class Manifest(BaseModel):
    """An archive's contents, and what they were made from."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    product: str
    """The version of Clinic Chat."""
    database: Literal["sqlite", "postgresql"]
    schema_revision: str | None
    created: datetime
    key: KeyPlace
    counts: dict[str, int]
    """Rows, by table."""
    members: tuple[Member, ...]

    @classmethod
    def read(cls, text: bytes) -> Self:
        """The manifest in a member's bytes.

        Raises:
            BackupError: it is none, or of a format of later.
        """
        try:
            manifest = cls.model_validate_json(text)
        except ValidationError as error:
            fault = error.errors()[0]
            told = f"{fault['loc']}: {fault['msg']}"
            raise BackupError(f"its manifest cannot be used: {told}") from None
        if len({member.name for member in manifest.members}) < len(manifest.members):
            raise BackupError("its manifest cannot be used: a name is there twice")
        return manifest

    def to_bytes(self) -> bytes:
        """The member's bytes."""
        return self.model_dump_json(indent=2).encode() + b"\n"
