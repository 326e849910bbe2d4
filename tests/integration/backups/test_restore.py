"""A restore puts everything back where nothing is, and refuses what it cannot trust."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clinic_chat.backups import restore
from clinic_chat.backups.archives import extraction
from clinic_chat.backups.backup import make_backup
from clinic_chat.backups.errors import BackupError
from clinic_chat.backups.restore import restore_backup
from clinic_chat.settings import Settings
from clinic_chat.storage.sqlite.library import sqlite3
from tests.integration.backups.contents import KEY, names_in, table_rows


@pytest.fixture
def backup(filled: None, settings: Settings, key_file: Path, tmp_path: Path) -> Path:
    """A backup of everything, with two files."""
    (tmp_path / "files" / "b").mkdir(parents=True)
    (tmp_path / "files" / "a.pdf").write_bytes(b"one")
    (tmp_path / "files" / "b" / "2.jpg").write_bytes(b"two")
    return make_backup(settings, tmp_path / "backup.tar.gz", key_file=key_file).file


MANIFEST_LIMIT = 1024 * 1024


def test_everything_is_where_it_was(
    backup: Path, elsewhere: Settings, place: Path, database_path: Path
) -> None:
    restore_backup(elsewhere, backup, key_file=place / "key")

    assert names_in(place) == ["clinic_chat.db", "files", "key"]
    for table in ("messages", "events", "conversations", "users", "log_readers", "read_markers"):
        assert table_rows(place / "clinic_chat.db", table) == table_rows(database_path, table) != []
    assert (place / "key").read_text() == KEY
    assert (place / "files" / "b" / "2.jpg").read_bytes() == b"two"
    for path in (place / "clinic_chat.db", place / "key", place / "files" / "a.pdf"):
        assert oct(path.stat().st_mode & 0o777) == "0o600"


def test_the_same_key_may_be_there_and_another_one_not(
    backup: Path, elsewhere: Settings, place: Path
) -> None:
    key = place / "key"
    key.write_text("another key")
    with pytest.raises(BackupError, match="another key"):
        restore_backup(elsewhere, backup, key_file=key)
    assert names_in(place) == ["key"]
    key.write_text(f"{KEY}\n")
    restore_backup(elsewhere, backup, key_file=key)


def test_an_empty_database_is_replaced_and_one_with_tables_is_not(
    backup: Path, elsewhere: Settings, place: Path, settings: Settings, database_path: Path
) -> None:
    before = table_rows(database_path, "messages")
    with pytest.raises(BackupError, match="has tables already"):
        restore_backup(settings, backup)
    assert table_rows(database_path, "messages") == before

    (place / "clinic_chat.db").touch()
    restore_backup(elsewhere, backup, key_file=place / "key")
    assert table_rows(place / "clinic_chat.db", "messages") == before


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("clinic_chat.db-wal", "of another database"),
        ("files/x.pdf", "there are files"),
        ("clinic_chat.db", "not a database"),
    ],
)
def test_what_is_in_the_way_is_named_and_stays(
    backup: Path, elsewhere: Settings, place: Path, name: str, reason: str
) -> None:
    path = place / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("what is in the way" * 100)
    with pytest.raises(BackupError, match=reason):
        restore_backup(elsewhere, backup, key_file=place / "key")
    assert names_in(place) == [path.relative_to(place).parts[0]]


Members = list[tuple[tarfile.TarInfo, bytes]]


def entry(name: str, text: bytes = b"", kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = kind
    made.size = len(text)
    return made


def forged(backup: Path, change: Callable[[dict[str, Any], Members], None]) -> None:
    """Rewrite an archive after `change` was made to its manifest and its members."""
    with tarfile.open(backup) as tar:
        members = [(one, tar.extractfile(one).read()) for one in tar.getmembers()]  # type: ignore[union-attr]
    manifest = json.loads(members.pop(0)[1])
    change(manifest, members)
    text = json.dumps(manifest).encode()
    with tarfile.open(backup, "w:gz") as tar:
        for one, content in [(entry("manifest.json", text), text), *members]:
            tar.addfile(one, io.BytesIO(content))


def named(manifest: dict[str, Any], members: Members, name: str) -> None:
    """Add a member of this name to both."""
    text = b"evil"
    digest = hashlib.sha256(text).hexdigest()
    manifest["members"].append({"name": name, "size": len(text), "sha256": digest})
    members.append((entry(name, text), text))


def linked(kind: bytes) -> Callable[[dict[str, Any], Members], None]:
    def change(manifest: dict[str, Any], members: Members) -> None:
        named(manifest, members, "files/z")
        link = entry("files/z", kind=kind)
        link.linkname = "/etc/passwd"
        members[-1] = (link, b"")

    return change


def bombed(manifest: dict[str, Any], members: Members) -> None:
    text = bytes(1024 * 1024)
    members.append((entry("files/bomb", text), text))
    manifest["members"].append({"name": "files/bomb", "size": 3, "sha256": "0" * 64})


def damaged(_: dict[str, Any], members: Members) -> None:
    members[0] = (members[0][0], members[0][1][:-1] + b"!")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda m, a: named(m, a, "../evil"), "not a name"),
        (lambda m, a: named(m, a, "/evil"), "not a name"),
        (lambda m, a: named(m, a, "files/../../evil"), "not a name"),
        (lambda m, a: named(m, a, "files/a\\b"), "not a name"),
        (lambda m, a: named(m, a, "other"), "not a name"),
        (lambda m, a: named(m, a, "files/a.pdf"), "there twice"),
        (linked(tarfile.SYMTYPE), "not a plain file"),
        (linked(tarfile.LNKTYPE), "not a plain file"),
        (linked(tarfile.FIFOTYPE), "not a plain file"),
        (bombed, "bytes and not 3"),
        (damaged, "checksum differs"),
        (lambda m, a: a.pop(), "not where its manifest says"),
        (lambda m, a: a.append((entry("files/more"), b"")), "more in it"),
        (lambda m, a: m["members"].pop(), "more in it"),
        (lambda m, _: m.update(members=[]), "no database in it"),
        (lambda m, _: m.update(format=2), "manifest cannot be used"),
        (lambda m, _: m.update(schema_revision="9999"), "of a newer version"),
        (lambda m, _: m.update(schema_revision="0007"), "its manifest another"),
        (lambda m, _: m.update(database="postgresql"), "of the kind postgresql"),
        (lambda m, _: m["members"][0].update(size=10**15), "are free"),
    ],
)
def test_an_archive_that_is_not_as_it_tells_is_refused_and_leaves_nothing(
    backup: Path,
    elsewhere: Settings,
    place: Path,
    change: Callable[[dict[str, Any], Members], None],
    reason: str,
) -> None:
    forged(backup, change)
    with pytest.raises(BackupError, match=reason):
        restore_backup(elsewhere, backup, key_file=place / "key")
    assert names_in(place) == []
    assert not (place.parent / "evil").exists()


def test_what_is_no_archive_or_not_whole_is_refused(
    backup: Path,
    elsewhere: Settings,
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = backup.read_bytes()
    for broken in (b"", b"no archive", gzip.compress(b"no tar"), whole[:-1], whole[:5_000]):
        backup.write_bytes(broken)
        with pytest.raises(BackupError, match="damaged"):
            restore_backup(elsewhere, backup, key_file=place / "key")
    with pytest.raises(BackupError, match="No such file"):
        restore_backup(elsewhere, tmp_path / "nothing")
    monkeypatch.setattr(extraction, "MANIFEST_LIMIT", MANIFEST_LIMIT)
    # A header that asks for more memory than there is.
    header = tarfile.TarInfo("manifest.json")
    header.type, header.size = tarfile.XHDTYPE, 10**12
    backup.write_bytes(
        gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(MANIFEST_LIMIT * 2), 1)
    )
    with pytest.raises(BackupError, match="larger than"):
        restore_backup(elsewhere, backup)
    assert names_in(place) == []


def test_a_restore_that_fails_at_the_end_can_be_done_again(
    backup: Path, elsewhere: Settings, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(
            restore,
            "_check_sqlite",
            lambda *_: (_ for _ in ()).throw(
                sqlite3.DatabaseError("database disk image is malformed")
            ),
        )
        with pytest.raises(BackupError, match="malformed"):
            restore_backup(elsewhere, backup, key_file=place / "key")
    assert names_in(place) == []
    restore_backup(elsewhere, backup, key_file=place / "key")
