"""Prerendered pages: the order in which they load and evaluate their files."""

import json
import re
from pathlib import Path

from clinic_chat.ui.build.source_patch import UnexpectedSource

PRELOAD = '<link rel="modulepreload"'
ROUTE = re.compile(r'import \* as (route\d+) from "([^"]+)";\n')
# Shorter files are evaluated with the first file that imports them.
WORTH_A_TURN_BYTES = 10_000
_IMPORTED = re.compile(r'(?:from|import)\s*"\./([^"]+)"')
# Browsers without `scheduler` wait a few milliseconds longer.
_TURN = """const pause = () => new Promise((go) => setTimeout(go));
const turn = async () => {
  try {
    await (globalThis.scheduler?.yield?.() ?? pause());
  } catch {
    await pause();
  }
};"""


def adapt(page: Path, static_dir: Path) -> None:
    """Rewrite a built page in its place.

    Raises:
        UnexpectedSource: the page is not as this Reflex version writes it.
    """
    text = style_first(page.read_text("utf-8"))
    page.write_text(evaluated_in_turns(text, static_dir), "utf-8")


def style_first(page: str) -> str:
    """A page that loads its code with low priority, so that its rendered content shows first.

    On a slow line the style sheet would arrive with the code, at the end. The sign-in form works
    without code.
    """
    if PRELOAD not in page:
        raise UnexpectedSource("a built page", PRELOAD, 0)
    return page.replace(PRELOAD, f'{PRELOAD} fetchpriority="low"')


def evaluated_in_turns(page: str, static_dir: Path) -> str:
    """A page that evaluates its code one file at a time, libraries first.

    Between two files the browser answers a person who is already typing: evaluating all at once
    takes a slow machine half a second.
    """
    first = ROUTE.search(page)
    if first is None:
        raise UnexpectedSource("a built page", ROUTE.pattern, 0)
    paths = json.dumps(_dependencies_first([path for _, path in ROUTE.findall(page)], static_dir))
    begin = f"{_TURN}\nfor (const path of {paths}) {{\n  await import(path);\n  await turn();\n}}\n"
    awaited = ROUTE.sub(r'const \1 = await import("\2");\n', page[first.start() :])
    return f"{page[: first.start()]}{begin}{awaited}"


def _dependencies_first(paths: list[str], static_dir: Path) -> list[str]:
    """The files that `paths` need and that are worth a turn, each after those it imports."""
    seen: set[str] = set()
    ordered: list[str] = []

    def visit(path: str) -> None:
        if path in seen:
            return
        seen.add(path)
        code = (static_dir / path.lstrip("/")).read_bytes()
        folder = path.rpartition("/")[0]
        for name in _IMPORTED.findall(code.decode("utf-8")):
            visit(f"{folder}/{name}")
        if len(code) >= WORTH_A_TURN_BYTES:
            ordered.append(path)

    for path in paths:
        visit(path)
    if len(ordered) < 2:
        raise UnexpectedSource("a built module", _IMPORTED.pattern, len(ordered))
    return ordered
