"""Where unfinished work lies: it goes when the work ends, or with the next after `kill -9`."""

import errno
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = ".clinic_chat-unfinished-"
IN_USE = "in-use.lock"
LOCK = ".clinic_chat-backups.lock"
# A folder that was made a moment ago may not be locked yet.
ABANDONED_SECONDS = 60
WITHOUT_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS)


@contextmanager
def unfinished_folder(parent: Path) -> Iterator[Path]:
    """A private folder inside `parent` until the block ends; abandoned ones are removed."""
    remove_abandoned(parent)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    held = _lock_file(folder)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def remove_abandoned(parent: Path) -> None:
    """Remove the folders of processes that are no more: nobody holds their locks."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime < ABANDONED_SECONDS:
                continue
            held = _lock_file(folder)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(held)


def _lock_file(folder: Path) -> int:
    # Network drives lock no folders.
    return os.open(folder / IN_USE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


@contextmanager
def folder_lock(folder: Path, *, wait: bool) -> Iterator[int | None]:
    """The lock of a folder with backups, None when another process has it and `wait` is not set.

    The kernel lets go of it when its last holder ends; a child that was handed it is one.
    """
    held = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield None
            return
        yield held
    finally:
        os.close(held)


def put_in_place(finished: Path, target: Path) -> None:
    """Give a finished file its name, on the disk; what has this name already stays.

    Raises:
        FileExistsError: the name is taken.
    """
    sync(finished)
    try:
        os.link(finished, target)
    except OSError as error:
        # Network drives often have no hard links.
        if error.errno not in WITHOUT_LINKS:
            raise
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        os.rename(finished, target)
    sync(target.parent)


def sync(path: Path) -> None:
    """Return when a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network drives cannot do this with a folder.
        if not path.is_dir() or error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)
