"""What the front end's build is made to leave out, and what it puts together."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from clinic_chat.settings import PROJECT_ROOT
from clinic_chat.ui.build.constants import constants_module, shared_constants
from clinic_chat.ui.build.reflex_modules import (
    changed_routes,
    changed_state,
    changed_theme,
    evaluate_nothing_here,
    explain_failures,
    leave_scrolling_to_browser,
    require_no_cookies,
    require_no_styles,
    share_no_libraries,
    use_forgiving_storage,
)
from clinic_chat.ui.build.source_patch import UnexpectedSource
from clinic_chat.ui.build.vite_config import (
    REPLACED,
    for_supported_browsers,
    libraries_apart,
    small_libraries,
)

SHARING = """
import * as React from "react";
import * as emotion_react from "@emotion/react";

function ReflexProviders({children}) {
  useEffect(() => {
    // Make contexts and state objects available globally for dynamic eval'd components
    window.__reflex = {
          "react": React,
    "@emotion/react": emotion_react,
    };
  }, []);

  return jsx(ThemeProvider, {}, children);
}

const Strict = React.StrictMode;
"""


def test_no_library_is_shared_and_nothing_else_is_lost() -> None:
    shortened = share_no_libraries(SHARING)

    assert "__reflex" not in shortened
    assert "useEffect" not in shortened
    assert "return jsx(ThemeProvider, {}, children);" in shortened
    assert share_no_libraries(shortened) == shortened


def test_a_library_that_was_only_shared_is_not_loaded() -> None:
    shortened = share_no_libraries(SHARING)

    assert "emotion_react" not in shortened
    assert 'import * as React from "react";' in shortened


def test_a_page_that_shares_them_in_another_way_stops_the_build() -> None:
    with pytest.raises(UnexpectedSource, match=r"app/root\.jsx"):
        share_no_libraries("window.__reflex = everything;")


def test_scripts_are_evaluated_where_the_bundler_need_not_keep_every_name() -> None:
    changed = evaluate_nothing_here("const a = eval(code); evaluate(a); const b = eval(more);")

    assert changed == (
        "const a = globalThis.eval(code); evaluate(a); const b = globalThis.eval(more);"
    )
    assert evaluate_nothing_here(changed) == changed


def test_a_module_that_evaluates_in_another_way_stops_the_build() -> None:
    with pytest.raises(UnexpectedSource, match=r"utils/state\.js"):
        evaluate_nothing_here("new Function(code)();")


def test_libraries_have_files_of_their_own_before_other_groups() -> None:
    config = "        codeSplitting: {\n          groups: [\n            { test: /env.json/ },\n"
    changed = libraries_apart(config)

    assert changed.index('name: "react"') < changed.index("env.json")
    assert libraries_apart(changed) == changed
    with pytest.raises(UnexpectedSource, match=r"vite\.config\.js"):
        libraries_apart("output: {}")


@pytest.mark.parametrize(("library", "module"), REPLACED.items())
def test_libraries_of_next_to_no_use_are_replaced(library: str, module: str) -> None:
    config = '    alias: [\n      {\n        find: "$",\n'
    changed = small_libraries(config)

    assert changed.index(f'find: "{library}"') < changed.index('find: "$"')
    assert f"public/live/{module}" in changed
    assert (PROJECT_ROOT / "assets" / "live" / module).is_file()
    assert small_libraries(changed) == changed
    with pytest.raises(UnexpectedSource, match=r"vite\.config\.js"):
        small_libraries("resolve: {}")


def test_a_component_s_own_style_stops_the_build_because_it_would_be_left_out(
    tmp_path: Path,
) -> None:
    page = tmp_path / "app_components" / "inbox" / "row.jsx"
    page.parent.mkdir(parents=True)
    page.write_text('jsx("p",{className:"success:"},)')
    require_no_styles(tmp_path)

    page.write_text('jsx("p",{css:({["color"]:"red"})},)')
    with pytest.raises(UnexpectedSource, match=r"row\.jsx"):
        require_no_styles(tmp_path)


def test_a_var_in_a_cookie_stops_the_build_because_it_would_be_kept_nowhere(
    tmp_path: Path,
) -> None:
    context = tmp_path / "utils" / "context.jsx"
    context.parent.mkdir()
    context.write_text('export const clientStorage = {"cookies": {}, "local_storage": {}}')
    require_no_cookies(tmp_path)

    context.write_text('export const clientStorage = {"cookies": {"a": {}}, "local_storage": {}}')
    with pytest.raises(UnexpectedSource, match=r"context\.jsx"):
        require_no_cookies(tmp_path)


def test_every_use_of_the_browser_s_storage_goes_through_ours() -> None:
    source = 'a = localStorage.getItem("a");\nwindow.sessionStorage.setItem("b", 1);\n'
    changed = use_forgiving_storage(source, "utils/state.js")

    assert changed == (
        'import * as storages from "$/public/live/lib/storage.js";\n'
        'a = storages.local.getItem("a");\nstorages.session.setItem("b", 1);\n'
    )
    assert use_forgiving_storage(changed, "utils/state.js") == changed
    with pytest.raises(UnexpectedSource, match=r"utils/state\.js"):
        use_forgiving_storage("cookies.set()", "utils/state.js")


def test_nothing_remembers_how_far_the_page_was_scrolled() -> None:
    source = 'import {Links,Meta,Scripts,ScrollRestoration} from "react-router"\n'
    changed = leave_scrolling_to_browser(source)

    assert "const ScrollRestoration = () => null;" in changed
    assert leave_scrolling_to_browser(changed) == changed
    with pytest.raises(UnexpectedSource, match=r"app/_document\.js"):
        leave_scrolling_to_browser("import {Links} from 'react-router'")


def test_the_build_is_for_the_oldest_browsers_that_are_supported() -> None:
    config = "  build: {\n    minify: true,\n  },\n"
    changed = for_supported_browsers(config)

    assert 'target: ["chrome99", "edge99", "firefox97", "safari15.4"]' in changed
    assert for_supported_browsers(changed) == changed
    with pytest.raises(UnexpectedSource, match=r"vite\.config\.js"):
        for_supported_browsers("export default {}")


def test_what_the_router_shows_for_an_error_is_ours() -> None:
    root = "export default function App() {\n  return jsx(Outlet, {});\n}\n"
    changed = explain_failures(root)

    assert "FailedPage as ErrorBoundary" in changed
    assert changed.endswith(root)
    assert explain_failures(changed) == changed
    with pytest.raises(UnexpectedSource, match=r"app/root\.jsx"):
        explain_failures("export const App = 1;")


ROUTES = """export default [
  ...(await flatRoutes({
    ignoredRouteFiles: ["routes/\\\\[404\\\\]._index.jsx"],
  })),
  route("*", "routes/[404]._index.jsx"),
];
"""


@pytest.mark.parametrize(
    ("change", "ours"),
    [
        (changed_state, 'import io from "$/public/live/app/socket.js";'),
        (changed_theme, 'import * as storages from "$/public/live/lib/storage.js";'),
        (changed_routes, 'route("c?/:conversation?", "routes/$.jsx")'),
    ],
)
def test_a_file_that_reflex_keeps_forgets_what_an_earlier_version_made_of_it(
    change: Callable[[str], str], ours: str
) -> None:
    changed = change("")
    earlier = changed.replace(ours, ours.replace(".js", "_of_before.js"))

    assert changed.count(ours) == 1
    assert earlier != changed
    assert change(earlier) == changed


def test_the_browser_gets_every_constant_that_it_imports_and_no_other() -> None:
    imported = {
        name
        for path in (PROJECT_ROOT / "assets" / "live").rglob("*.js")
        for names in re.findall(
            r'import \{([^}]*)\} from "\$/utils/constants\.js";', path.read_text()
        )
        for name in names.replace(" ", "").strip(",\n").split(",")
    }
    assert imported == set(shared_constants())


def test_constants_are_written_as_javascript() -> None:
    path, text = constants_module()

    assert path == "utils/constants.js"
    assert "export const BODY_LIMIT = 4000;\n" in text
    assert 'export const STATUSES = ["open", "pending", "resolved"];\n' in text
