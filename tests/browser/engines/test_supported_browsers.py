"""What is built can be read by the oldest browsers that the README promises."""

import re

import pytest

from clinic_chat.server.serve import BUILT
from clinic_chat.settings import PROJECT_ROOT
from tests.support.servers.server import Server

# By MDN's compatibility data all of these are younger than Chrome 99, Firefox 98 or Safari 15.4.
YOUNGER_SYNTAX = {
    "range media queries": r"@media[^{]*[<>]=?",
    "nesting": r"[{;]\s*&[\s.:\[]",
    "container queries": r"@container",
}
# Of ours alone: React has a requestSubmit for forms of a kind that is not used here.
YOUNGER_FUNCTIONS = ("AbortSignal.timeout", ".requestSubmit(", ".roundRect(")


@pytest.fixture(scope="module")
def styles(server: Server) -> str:
    """The built style sheets; a server that has started has built them."""
    assert server.ready()
    return _read("css")


@pytest.fixture(scope="module")
def scripts(server: Server) -> str:
    """The built code."""
    assert server.ready()
    return _read("js")


def _read(ending: str) -> str:
    files = sorted((BUILT / "assets").glob(f"*.{ending}"))
    assert files
    return "\n".join(file.read_text() for file in files)


@pytest.mark.parametrize("name", YOUNGER_SYNTAX)
def test_style_sheets_hold_nothing_younger(styles: str, name: str) -> None:
    assert re.findall(YOUNGER_SYNTAX[name], styles) == []
    assert "@media (max-width:720px)" in styles


def test_code_holds_no_static_blocks(scripts: str) -> None:
    assert re.findall(r"\bstatic\s*\{", scripts) == []


@pytest.mark.parametrize("function", YOUNGER_FUNCTIONS)
def test_browser_modules_call_nothing_younger(function: str) -> None:
    modules = list((PROJECT_ROOT / "assets" / "live").rglob("*.js"))

    assert modules
    # Comments may say why it is not used.
    lines = [line for module in modules for line in module.read_text().splitlines()]
    assert [line for line in lines if function in line and "//" not in line] == []


def test_every_height_of_the_window_has_one_that_older_browsers_know(styles: str) -> None:
    younger = re.findall(r"[a-z-]*height:[^;}]*100dvh[^;}]*", styles)

    assert len(younger) >= 4
    for value in younger:
        assert value.replace("100dvh", "100vh") in styles


def test_mixed_colours_stand_beside_a_plain_one(styles: str) -> None:
    supported = r"@supports \(color:\s*color-mix\(in srgb,\s*red,\s*blue\)\)"

    assert len(re.findall(r"--accent-text:color-mix", styles)) == 1
    assert re.search(supported + r"\s*\{:root\{--accent-text:color-mix", styles)
    assert "--accent-text:var(--accent-12)" in styles
