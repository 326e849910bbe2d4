"""An encrypted archive is opened by the holders of the keys it was made for, and by nobody else."""

import os
from pathlib import Path

import pyrage
import pytest

from clinic_chat.backups.archives.encryption import encrypted, recipients_in
from clinic_chat.backups.backup import make_backup
from clinic_chat.backups.errors import BackupError
from clinic_chat.backups.restore import restore_backup
from clinic_chat.settings import Settings
from tests.integration.backups.contents import KEY, names_in, table_rows


class Holder:
    """Somebody with a key."""

    def __init__(self, folder: Path, name: str) -> None:
        identity = pyrage.x25519.Identity.generate()
        self.public = str(identity.to_public())
        self.file = folder / f"{name}.key"
        self.file.write_text(f"# created: today\n# public key: {self.public}\n{identity}\n")


@pytest.fixture
def holders(tmp_path: Path) -> list[Holder]:
    """Three, of whom the last is a stranger."""
    folder = tmp_path / "keys"
    folder.mkdir()
    return [Holder(folder, name) for name in ("owner", "second", "stranger")]


@pytest.mark.usefixtures("filled")
def test_each_holder_opens_it_and_nobody_else(
    settings: Settings,
    database_path: Path,
    elsewhere: Settings,
    place: Path,
    key_file: Path,
    holders: list[Holder],
    tmp_path: Path,
) -> None:
    owner, second, stranger = holders
    file = tmp_path / "b.age"
    made = make_backup(settings, file, [owner.public, second.public], key_file=key_file)
    assert made.encrypted
    assert file.read_bytes().startswith(b"age-encryption.org/v1")
    assert oct(file.stat().st_mode & 0o777) == "0o600"

    with pytest.raises(BackupError, match="--identity"):
        restore_backup(elsewhere, file, key_file=place / "key")
    with pytest.raises(BackupError, match="cannot be decrypted"):
        restore_backup(elsewhere, file, [stranger.file], key_file=place / "key")
    assert names_in(place) == []

    restore_backup(elsewhere, file, [stranger.file, second.file], key_file=place / "key")
    assert names_in(place) == ["clinic_chat.db", "key"]
    assert (place / "key").read_text() == KEY
    restored = table_rows(place / "clinic_chat.db", "messages")
    assert restored == table_rows(database_path, "messages") != []


def test_one_that_was_cut_or_changed_is_refused(
    settings: Settings,
    elsewhere: Settings,
    place: Path,
    holders: list[Holder],
    tmp_path: Path,
) -> None:
    file = tmp_path / "b.age"
    make_backup(settings, file, [holders[0].public], with_key=False)
    whole = file.read_bytes()
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 1
    for broken in (whole[:-1], whole[: len(whole) // 2], bytes(changed)):
        file.write_bytes(broken)
        with pytest.raises(BackupError):
            restore_backup(elsewhere, file, [holders[0].file])
    assert names_in(place) == []


@pytest.mark.parametrize("text", ["", "age1", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1QQ"])
def test_what_is_no_public_key_is_refused_before_anything_is_written(
    settings: Settings, tmp_path: Path, text: str
) -> None:
    with pytest.raises(BackupError, match="begins with age1"):
        make_backup(settings, tmp_path / "b", [text])
    assert names_in(tmp_path) == ["clinic_chat.db"]


def test_a_key_file_without_a_key_is_said(
    settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    make_backup(settings, tmp_path / "b", with_key=False)
    keys = tmp_path / "keys"
    with pytest.raises(BackupError, match="cannot be read"):
        restore_backup(elsewhere, tmp_path / "b", [keys])
    keys.write_text("# nothing\n")
    with pytest.raises(BackupError, match="no line"):
        restore_backup(elsewhere, tmp_path / "b", [keys])
    keys.write_text("AGE-SECRET-KEY-1QQ\n")
    with pytest.raises(BackupError, match="not whole"):
        restore_backup(elsewhere, tmp_path / "b", [keys])


@pytest.mark.parametrize("size", [10, 200_000])
def test_a_disk_that_is_full_at_the_last_byte_is_not_taken_for_success(
    holders: list[Holder], size: int
) -> None:
    with (
        open("/dev/full", "wb", buffering=0) as full,
        pytest.raises(OSError, match="No space left"),
        encrypted(full, recipients_in([holders[0].public])) as plain,
    ):
        plain.write(os.urandom(size))
