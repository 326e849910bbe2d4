"""Builds the image with buildah, without a daemon and without a runtime."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from clinic_chat.settings import PROJECT_ROOT

NAME = "localhost/clinic-chat"
DEBIAN = "localhost/debian:bookworm-slim"
# As in the slim image, whose documentation is left out.
SLIM = [f"--dpkgopt=path-exclude=/usr/share/{what}/*" for what in ("doc", "man", "info", "locale")]
STORAGE = """
[storage]
driver = "{driver}"
runroot = "{folder}/run"
graphroot = "{folder}/graph"
"""
AUTHORITIES = "/usr/local/share/ca-certificates"
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Layer:
    """A layer, by what made it."""

    megabytes: float
    made_by: str


@dataclass(frozen=True)
class Image:
    """A built image; `config` is what it says about running it."""

    config: dict[str, Any]
    layers: list[Layer]
    base_layers: int
    seconds: float


class Builder:
    """Keeps images in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        storage = folder / "storage.conf"
        storage.write_text(STORAGE.format(folder=folder, driver=_driver(folder)))
        self._environment = {**os.environ, "CONTAINERS_STORAGE_CONF": str(storage)}

    def debian(self) -> str:
        """The name of a small Debian 12, made when it is not there."""
        if not self._buildah("images", "--quiet", "--filter", f"reference={DEBIAN}"):
            archive = self._folder / "base.tar"
            subprocess.run(
                ["mmdebstrap", "--variant=minbase", *SLIM, "bookworm", str(archive)], check=True
            )
            container = self._buildah("from", "scratch")
            self._buildah("add", container, str(archive), "/")
            self._buildah("commit", "--rm", container, DEBIAN)
            archive.unlink()
        return DEBIAN

    def image(self, base: str, *, verify_hashes: bool) -> Image:
        """The image, built from the project as it is."""
        began = monotonic()
        arguments = {"BASE": base, "VERIFY_HASHES": "yes" if verify_hashes else "no"}
        self._buildah(
            *("bud", "--isolation", "chroot", "--layers", "--format", "docker", "--tag", NAME),
            # Where the network has a certificate authority of its own, builds need it too.
            *("--volume", f"{AUTHORITIES}:{AUTHORITIES}:ro"),
            *(f"--build-arg={name}={value}" for name, value in arguments.items()),
            str(PROJECT_ROOT),
            shown=True,
        )
        seconds = monotonic() - began
        image = self._inspected(NAME)
        return Image(
            config=image["Docker"]["config"],
            layers=self._layers(image),
            base_layers=len(self._inspected(base)["OCIv1"]["rootfs"]["diff_ids"]),
            seconds=seconds,
        )

    @contextmanager
    def root_of(self, _image: Image) -> Iterator[Path]:
        """The root folder of a new container."""
        container = self._buildah("from", NAME)
        try:
            yield Path(self._buildah("mount", container))
        finally:
            self._buildah("rm", container)

    def _layers(self, image: dict[str, Any]) -> list[Layer]:
        """From the newest image's own file, which has the layers as they are sent."""
        archive = self._folder / "image"
        self._buildah("push", "--disable-compression", NAME, f"dir:{archive}")
        manifest = json.loads((archive / "manifest.json").read_text())
        made_by = [
            step["created_by"] for step in image["OCIv1"]["history"] if not step.get("empty_layer")
        ]
        sizes = [layer["size"] / MEGABYTE for layer in manifest["layers"]]
        return [Layer(size, _short(step)) for size, step in zip(sizes, made_by, strict=True)]

    def _inspected(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._buildah("inspect", "--type", "image", name))
        return found

    def _buildah(self, *arguments: str, shown: bool = False) -> str:
        done = subprocess.run(
            ["buildah", *arguments],
            env=self._environment,
            stdout=None if shown else subprocess.PIPE,
            text=True,
            check=True,
        )
        return (done.stdout or "").strip()


def _driver(folder: Path) -> str:
    """`overlay` where the kernel has it for this folder, or `vfs`, which copies every layer."""
    parts = [folder / "overlay" / name for name in ("lower", "upper", "work", "merged")]
    for part in parts:
        part.mkdir(parents=True, exist_ok=True)
    lower, upper, work, merged = parts
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    mounted = subprocess.run(
        ["mount", "-t", "overlay", "overlay", "-o", options, str(merged)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        return "vfs"
    subprocess.run(["umount", str(merged)], check=True)
    return "overlay"


def _short(made_by: str) -> str:
    step = " ".join(made_by.removeprefix("/bin/sh -c ").split())
    return re.sub(r"#\(nop\) COPY \S+ in ", "COPY ", step)[:90]
