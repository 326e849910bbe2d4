"""Archives that only the holders of a key can open: age, streamed (age-encryption.org/v1)."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import pyrage

from clinic_chat.backups.errors import BackupError, reason

HEADS = (b"age-encryption.org/v1", b"-----BEGIN AGE ENCRYPTED")
IDENTITY = "AGE-SECRET-KEY-"

T = TypeVar("T")


def recipients_in(texts: Sequence[str]) -> list[Any]:
    """The public keys in these texts.

    Raises:
        BackupError: one is none.
    """
    try:
        return [pyrage.x25519.Recipient.from_str(text) for text in texts]
    except pyrage.RecipientError:
        raise BackupError("a public key to encrypt to begins with age1 and is 62 long") from None


def identities_in(files: Sequence[Path]) -> list[Any]:
    """The private keys in these files, one a line, as `age-keygen` writes them.

    Raises:
        BackupError: a file cannot be read, or no key is in it.
    """
    found = []
    for file in files:
        try:
            lines = file.read_text().splitlines()
            keys = [line.strip() for line in lines if line.startswith(IDENTITY)]
            found += [pyrage.x25519.Identity.from_str(key) for key in keys]
        except (OSError, UnicodeError) as error:
            raise BackupError(f"the key file cannot be read: {reason(error)}") from None
        except pyrage.IdentityError:
            raise BackupError(f"a key in {file} is not whole") from None
        if not keys:
            raise BackupError(f"no line of {file} begins with {IDENTITY}")
    return found


def is_encrypted(file: Path) -> bool:
    """Whether an archive needs a key."""
    with file.open("rb") as source:
        return source.read(max(map(len, HEADS))).startswith(HEADS)


@contextmanager
def encrypted(sink: IO[bytes], recipients: list[Any]) -> Iterator[IO[bytes]]:
    """Takes what is to be encrypted; without recipients it is written as it is."""
    if not recipients:
        yield sink
        return
    reading, writing = os.pipe()
    guarded = _Guarded(sink)

    def work() -> None:
        with open(reading, "rb", buffering=0) as source:
            pyrage.encrypt_io(source, guarded, recipients)

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        try:
            with open(writing, "wb") as plain:
                yield plain
        except BrokenPipeError:
            # Why nobody reads any more is said below.
            working.exception()
    guarded.check()
    working.result()


@contextmanager
def decrypted(file: Path, identities: list[Any]) -> Iterator[IO[bytes]]:
    """Yields an archive as it was before it was encrypted, if it was.

    Raises:
        BackupError: no key opens it, or it is not whole.
    """
    if not is_encrypted(file):
        with file.open("rb") as source:
            yield source
        return
    if not identities:
        raise BackupError("it is encrypted: name the file with the private key with --identity")
    reading, writing = os.pipe()
    failures: list[Exception] = []

    def work() -> None:
        with file.open("rb") as source, open(writing, "wb", buffering=0) as sink:
            try:
                pyrage.decrypt_io(source, sink, identities)
            except Exception as error:
                # Before the pipe is closed, so that whoever meets its end finds this.
                failures.append(error)

    with ThreadPoolExecutor(1) as pool, open(reading, "rb") as plain:
        pool.submit(work)
        try:
            yield plain
        except Exception:
            _raise(failures)
            raise
        _raise(failures)


def _raise(failures: list[Exception]) -> None:
    for failure in failures:
        if isinstance(failure, pyrage.DecryptError):
            raise BackupError(f"it cannot be decrypted: {failure}") from None
        raise BackupError(f"it cannot be read: {reason(failure)}") from None


class _Guarded:
    """A sink that remembers its failure: the library drops that of its last write."""

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink = sink
        self._failure: Exception | None = None

    def write(self, data: bytes) -> int:
        return self._tried(lambda: self._sink.write(data))

    def flush(self) -> None:
        self._tried(self._sink.flush)

    def check(self) -> None:
        """Raise what went wrong."""
        if self._failure is not None:
            raise self._failure

    def _tried(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except Exception as error:
            self._failure = self._failure or error
            raise
