"""`python -m tests.image`: builds the image, looks into it, runs it, and reports (as root).

It needs Debian's `buildah` and, unless `--base` names an image, `mmdebstrap`. Nothing is run by a
container engine, so that it works inside a container too.
"""

import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from tests.image import build, running
from tests.image.contents import inspect

# Megabytes above the base, and seconds from nothing to ready.
LARGEST_MB = 200
SLOWEST_SECONDS = 5.0

app = typer.Typer(help=__doc__, add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    base: Annotated[
        str, typer.Option(help="Image to build on; by default a Debian 12 is made.")
    ] = "",
    folder: Annotated[
        Path, typer.Option(help="Keeps images and the base between runs; some gigabytes.")
    ] = Path("/var/tmp/clinic-chat-image"),
    verify_hashes: Annotated[bool, typer.Option(help="Compare packages with their hashes.")] = True,
) -> None:
    """Build the image, look into it, run it."""
    missing = [name for name in ("buildah", "" if base else "mmdebstrap") if not _has(name)]
    if missing or os.geteuid() != 0:
        sys.stderr.write(f"As root, after `apt-get install {' '.join(missing or ['buildah'])}`.\n")
        raise typer.Exit(1)
    folder.mkdir(parents=True, exist_ok=True)
    builder = build.Builder(folder)
    image = builder.image(base or builder.debian(), verify_hashes=verify_hashes)
    say(f"built in {image.seconds:.0f} s")
    say("layers, MB:")
    for layer in image.layers:
        say(f"  {layer.megabytes:7.1f}  {layer.made_by}")
    above = sum(layer.megabytes for layer in image.layers[image.base_layers :])
    say(f"above the base: {above:.1f} MB")
    with builder.root_of(image) as root:
        inspect(root, image.config)
        with TemporaryDirectory(prefix="clinic-chat-data-") as data:
            figures = running.check(root, image.config, Path(data))
    for name, value in figures.items():
        say(f"{name}: {value}")
    assert above < LARGEST_MB, f"more than {LARGEST_MB} MB"
    assert figures["seconds to ready, empty volume"] < SLOWEST_SECONDS
    say("as it should be")


def say(line: str) -> None:
    """Report a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _has(program: str) -> bool:
    return not program or shutil.which(program) is not None


if __name__ == "__main__":
    app()
