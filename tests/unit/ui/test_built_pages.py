"""How the pages that are rendered in advance are changed after the build."""

from pathlib import Path

import pytest

from clinic_chat.ui.build import prerendered as pages
from clinic_chat.ui.build.source_patch import UnexpectedSource

LONG = "x" * pages.WORTH_A_TURN_BYTES
CODE = {
    "react.js": LONG,
    "small.js": "export const a = 1;",
    "router.js": f'import{{a}}from"./react.js";{LONG}',
    "root.js": f'import{{a}}from"./router.js";import"./small.js";{LONG}',
    "login.js": f'import{{a}}from"./root.js";import{{b}}from "./react.js";{LONG}',
}
PAGE = """<link rel="modulepreload" href="/assets/root.js"/><link rel="stylesheet" href="/a.css"/>
<script type="module" async="">import "/assets/manifest.js";
import * as route0 from "/assets/root.js";
import * as route1 from "/assets/login.js";

window.__reactRouterRouteModules = {"root":route0,"routes/login":route1};

import("/assets/entry.js");</script>"""


@pytest.fixture
def static_dir(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    for name, code in CODE.items():
        (tmp_path / "assets" / name).write_text(code)
    return tmp_path


def test_code_is_loaded_after_the_style_sheet() -> None:
    page = '<link rel="modulepreload" href="/a.js"/><link rel="stylesheet" href="/a.css"/>'

    assert pages.style_first(page) == (
        '<link rel="modulepreload" fetchpriority="low" href="/a.js"/>'
        '<link rel="stylesheet" href="/a.css"/>'
    )


def test_each_large_file_is_evaluated_after_those_it_imports(static_dir: Path) -> None:
    changed = pages.evaluated_in_turns(PAGE, static_dir)

    large = [f"/assets/{name}.js" for name in ("react", "router", "root", "login")]
    assert f"for (const path of {large})".replace("'", '"') in changed


def test_a_page_begins_as_before_once_its_code_is_there(static_dir: Path) -> None:
    changed = pages.evaluated_in_turns(PAGE, static_dir)

    before, after = PAGE.split("import * as route0", 1)
    assert changed.startswith(before)
    assert changed.endswith(after.partition('login.js";\n')[2])
    assert 'const route0 = await import("/assets/root.js");' in changed
    assert 'const route1 = await import("/assets/login.js");' in changed
    assert "import * as" not in changed


def test_modules_that_seem_to_import_nothing_stop_the_build(static_dir: Path) -> None:
    (static_dir / "assets" / "root.js").write_text("import '/assets/router.js';")

    with pytest.raises(UnexpectedSource, match="built module"):
        pages.evaluated_in_turns(PAGE.replace("login.js", "small.js"), static_dir)


@pytest.mark.parametrize("missing", ['<link rel="modulepreload"', "import * as route"])
def test_a_page_of_another_kind_stops_the_build(static_dir: Path, missing: str) -> None:
    page = static_dir / "index.html"
    page.write_text(PAGE.replace(missing, "?"))

    with pytest.raises(UnexpectedSource, match="built page"):
        pages.adapt(page, static_dir)
