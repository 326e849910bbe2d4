"""Imports follow the data (ui, api → domain → storage, and domain → realtime), never back."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import clinic_chat

PACKAGE = Path(clinic_chat.__file__).parent
WEB = {"reflex", "reflex_base", "starlette", "fastapi", "socketio", "engineio"}
FORBIDDEN = {
    "storage": {"clinic_chat." + room for room in ("domain", "realtime", "api", "ui")} | WEB,
    "domain": {"clinic_chat." + room for room in ("realtime", "api", "ui")} | WEB,
    "realtime": {"clinic_chat.api", "clinic_chat.ui"},
    "api": {"clinic_chat.ui"},
    "ui": {"clinic_chat.api"},
}


def imported(source: str, module: str) -> set[str]:
    """Every module and name that `source`, the text of `module`, imports, however deep inside."""
    return {name for node in ast.walk(ast.parse(source)) for name in _names(node, module)}


def _names(node: ast.AST, module: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = module.split(".")[: -node.level] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        yield from (f"{base}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
        if called == "import_module" or getattr(called, "id", "") in {
            "import_module",
            "__import__",
        }:
            yield str(node.args[0].value)


def _modules(room: str) -> list[Path]:
    return sorted((PACKAGE / room).rglob("*.py"))


@pytest.mark.parametrize("room", FORBIDDEN)
def test_no_module_imports_against_the_arrow(room: str) -> None:
    against = {
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in _modules(room)
        for name in imported(path.read_text(), _module(path))
        for forbidden in FORBIDDEN[room]
        if f"{name}.".startswith(f"{forbidden}.")
    }
    assert not against


def _module(path: Path) -> str:
    return ".".join([PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts])


@pytest.mark.parametrize("room", FORBIDDEN)
def test_every_room_has_modules(room: str) -> None:
    assert _modules(room)


@pytest.mark.parametrize(
    "source",
    [
        "import clinic_chat.api.app",
        "import clinic_chat.api as anything",
        "from clinic_chat.api import app",
        "from clinic_chat import api",
        "from ..api import app",
        "from .. import api",
        "def later():\n    from clinic_chat.api import app",
        "if TYPE_CHECKING:\n    import clinic_chat.api",
        "import importlib\nimportlib.import_module('clinic_chat.api')",
        "__import__('clinic_chat.api')",
    ],
)
def test_an_import_is_seen_however_it_is_written(source: str) -> None:
    names = imported(source, "clinic_chat.domain.messages.message")
    assert any(f"{name}.".startswith("clinic_chat.api.") for name in names)
