"""The Reflex plugin that brings the browser modules into the build.

Reflex is pinned: each change of its generated code is checked here and stops the build with
a clear error when the place it changes is not there any more.
"""

import json
import re
from typing import Any

from reflex.plugins import Plugin
from reflex_base.config import get_config

from clinic_chat.ui.i18n.catalogs import all_texts

FONT = "@fontsource-variable/inter"
FONT_VERSION = "5.2.8"
SHARED = "window.__reflex ="
_UNEXPECTED = (
    "{} of this Reflex version is not as expected: {!r} is there {} times. "
    "Adapt clinic_chat/ui/plugin.py to it."
)
BACKEND_PATHS = ("/_event", "/auth", "/api", "/healthz", "/readyz")


class LivePlugin(Plugin):
    """Our socket in place of socket.io-client's, one route for the inbox, and the catalogs."""

    def get_frontend_dependencies(self, **_context: Any) -> list[str]:
        """The npm packages the screens need."""
        return [f"{FONT}@{FONT_VERSION}"]

    def get_stylesheet_paths(self, **_context: Any) -> list[str]:
        """Style sheets that come from npm packages."""
        return [f"{FONT}/wght.css"]

    def pre_compile(self, **context: Any) -> None:
        """Change the generated files and add the catalogs."""
        modify = context["add_modify_task"]
        modify("utils/state.js", use_live_socket)
        modify("app/routes.js", route_inbox_once)
        modify("vite.config.js", proxy_backend)
        modify("app/root.jsx", share_no_libraries)
        context["add_save_task"](catalogs_module)


def use_live_socket(source: str) -> str:
    """Connect through assets/live/socket.js instead of socket.io-client itself."""
    return _replace(
        source,
        'import io from "socket.io-client";',
        'import io from "$/public/live/socket.js";',
        "utils/state.js",
    )


def route_inbox_once(source: str) -> str:
    """Serve `/` and `/c/<id>` by the same route, so moving between them remounts nothing."""
    ignored = 'ignoredRouteFiles: ["routes/\\\\[404\\\\]._index.jsx"'
    source = _replace(source, ignored, ignored + ', "routes/\\\\$.jsx"', "app/routes.js")
    return _replace(
        source,
        '  route("*"',
        '  route("c?/:conversation?", "routes/$.jsx"),\n  route("*"',
        "app/routes.js",
    )


def proxy_backend(source: str) -> str:
    """Let the development server pass the back end's paths on, so all is one origin there too."""
    target = get_config().api_url
    proxy = {path: {"target": target, "ws": path == "/_event"} for path in BACKEND_PATHS}
    return _replace(
        source,
        "  server: {\n",
        f"  server: {{\n    proxy: {json.dumps(proxy)},\n",
        "vite.config.js",
    )


def share_no_libraries(source: str) -> str:
    """Leave out whole libraries that the page would load for components made at run time.

    There are none here, and Radix Themes alone, which only a menu and a dialog are used of, is a
    third of all code that a browser would load.
    """
    if SHARED not in source:
        return source
    shortened, found = re.subn(
        r"  useEffect\(\(\) => \{[^}]*" + re.escape(SHARED) + r" \{[^}]*\};\s*\}, \[\]\);\n",
        "",
        source,
    )
    if found != 1:
        raise RuntimeError(_UNEXPECTED.format("app/root.jsx", SHARED, found))
    return shortened


def catalogs_module() -> tuple[str, str]:
    """The compiled catalogs as a JavaScript module."""
    catalogs = json.dumps(all_texts(), ensure_ascii=False, indent=1, sort_keys=True)
    return "utils/catalogs.js", f"export const catalogs = {catalogs};\n"


def _replace(source: str, old: str, new: str, file: str) -> str:
    if new in source:
        return source
    if source.count(old) != 1:
        raise RuntimeError(_UNEXPECTED.format(file, old, source.count(old)))
    return source.replace(old, new)
