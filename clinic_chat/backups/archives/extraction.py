"""Takes an archive apart and trusts nothing in it: it may be damaged, or made by somebody else."""

import gzip
import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from clinic_chat.backups.archives.archive import PORTION
from clinic_chat.backups.archives.manifest import MANIFEST, MANIFEST_LIMIT, Manifest, Member
from clinic_chat.backups.errors import BackupError

# Around each member, and at the end of all, in tars that we write.
OVERHEAD = 64 * 1024
DAMAGED = "it is damaged, or no backup of Clinic Chat"


def extract(source: IO[bytes], folder: Path, check: Callable[[Manifest], None]) -> Manifest:
    """Put an archive's members into a folder, once `check` has nothing against its manifest.

    Whoever gets the manifest knows that each member has the size and digest that it tells.

    Raises:
        BackupError: something is missing, too much, of another kind or not as it was.
    """
    try:
        with gzip.GzipFile(fileobj=source) as unpacked:
            bounded = _Bounded(unpacked, MANIFEST_LIMIT + OVERHEAD)
            with tarfile.open(fileobj=bounded, mode="r|") as tar:
                manifest = _manifest(tar)
                check(manifest)
                bounded.limit += sum(one.size + OVERHEAD for one in manifest.members)
                for member in manifest.members:
                    _take(tar, member, folder)
                if tar.next() is not None:
                    raise BackupError("there is more in it than its manifest tells")
            # To its end, where gzip's own check is.
            while bounded.read(PORTION):
                pass
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile):
        raise BackupError(DAMAGED) from None
    return manifest


def read_manifest(source: IO[bytes]) -> Manifest:
    """The manifest alone.

    Raises:
        BackupError: there is none that can be used.
    """
    try:
        with gzip.GzipFile(fileobj=source) as unpacked:
            bounded = _Bounded(unpacked, MANIFEST_LIMIT + OVERHEAD)
            with tarfile.open(fileobj=bounded, mode="r|") as tar:
                return _manifest(tar)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile):
        raise BackupError(DAMAGED) from None


def _manifest(tar: tarfile.TarFile) -> Manifest:
    entry = tar.next()
    if entry is None or entry.name != MANIFEST or not _is_file(entry):
        raise BackupError(DAMAGED)
    if entry.size > MANIFEST_LIMIT:
        raise BackupError("its manifest is too large")
    return Manifest.read(_content(tar, entry).read())


def _take(tar: tarfile.TarFile, member: Member, folder: Path) -> None:
    entry = tar.next()
    if entry is None or entry.name != member.name:
        raise BackupError(f"{member.name} is not where its manifest says")
    if not _is_file(entry):
        raise BackupError(f"{member.name} is not a plain file")
    if entry.size != member.size:
        raise BackupError(f"{member.name} has {entry.size} bytes and not {member.size}")
    source = _content(tar, entry)
    path = folder / member.name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(handle, "wb") as sink:
        while portion := source.read(PORTION):
            digest.update(portion)
            sink.write(portion)
    if digest.hexdigest() != member.sha256:
        raise BackupError(f"{member.name} is not as it was: its checksum differs")


def _content(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    content = tar.extractfile(entry)
    if content is None:
        raise BackupError(DAMAGED)
    return content


def _is_file(entry: tarfile.TarInfo) -> bool:
    return entry.type == tarfile.REGTYPE and entry.sparse is None


class _Bounded(io.RawIOBase):
    """A file of which no more than `limit` bytes are read, however much is packed in it."""

    def __init__(self, file: gzip.GzipFile, limit: int) -> None:
        self._file = file
        self.limit = limit
        self._taken = 0

    def read(self, size: int = PORTION) -> bytes:
        portion = self._file.read(min(size, PORTION))
        self._taken += len(portion)
        if self._taken > self.limit:
            raise BackupError("it is larger than its manifest tells")
        return portion
