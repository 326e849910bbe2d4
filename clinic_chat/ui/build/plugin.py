"""The Reflex plugin that brings the browser modules into the build.

Reflex is pinned: each change of its generated code is checked here and stops the build with
a clear error when the place it changes is not there any more.
"""

import json
import re
from pathlib import Path
from typing import Any

from reflex.plugins import Plugin
from reflex.utils.prerequisites import get_web_dir
from reflex_base.config import get_config

from clinic_chat.ui.build import prerendered as pages
from clinic_chat.ui.build.constants import constants_module
from clinic_chat.ui.build.source_patch import UnexpectedSource, replace_once, template
from clinic_chat.ui.i18n import error_texts
from clinic_chat.ui.i18n.catalogs import all_texts

# The typeface, which is served from here and not from a font service.
FONT = "@fontsource-variable/inter"
# Scales of colours whose steps keep their contrast, light and dark.
COLORS = "@radix-ui/colors"
# Menus by the rules of WAI-ARIA: focus, keys, typing ahead, places at the screen's edge.
MENUS = "@radix-ui/react-dropdown-menu"
# Seals what waits in the browser (assets/live/outbox/sealed_storage.js): audited, without
# dependencies, and, unlike the browser's own, there on plain HTTP and without waiting.
CIPHERS = "@noble/ciphers"
PACKAGES = {FONT: "5.2.8", COLORS: "3.0.0", MENUS: "2.2.1", CIPHERS: "2.4.0"}
# What assets/styles/tokens.css makes the look of; of some there are see-through colours too.
SCALES = ("slate", "jade", "amber", "blue", "red")
SEE_THROUGH = ("slate", "jade")
NOTHING_WHILE_LOADING = "export function HydrateFallback() { return null; }\n"
STORAGES = 'import * as storages from "$/public/live/lib/storage.js";'
SHARED = "window.__reflex ="
INDIRECT_EVAL = "globalThis.eval("
GROUPS = "          groups: [\n"
PAGES = ("app/routes/$.jsx", "app/routes/[login]._index.jsx", "app/routes/[404]._index.jsx")
BUILD = "  build: {\n"
ALIASES = "    alias: [\n"
STYLED = "@emotion/react"
# A style given to a component becomes this property, which only Emotion understands.
STYLE_PROPERTY = re.compile(r"\bcss:")
# The oldest browsers that the product supports (README.md). Without it the floor would be Vite's,
# which rises with its releases. Syntax and style sheets are lowered to it, web APIs are not.
TARGET = ("chrome99", "edge99", "firefox97", "safari15.4")
# By the name of the file that they share. Those that the page begins with are each evaluated in a
# turn of their own (pages.py).
FILES = {
    "react": r"/node_modules\/(react|react-dom|scheduler)\//",
    "router": r"/node_modules\/react-router\//",
    "socket": r"/node_modules\/(socket|engine)\.io-/",
    # Loaded on demand (assets/live/menus/menu.js).
    "menus": r"/node_modules\/(@radix-ui|@floating-ui|react-remove-scroll|aria-hidden)/",
    # The socket begins to connect right after the first of these, for which it needs the others.
    "state": (
        r"/\.web\/(utils\/(state|context|context-registry)|public\/live\/components\/boundary)"
        r"\.jsx?$/"
    ),
}
BACKEND_PATHS = ("/_event", "/auth", "/api", "/healthz", "/readyz")


class LivePlugin(Plugin):
    """Our socket in place of socket.io-client's, one route for the inbox, and the catalogs."""

    def get_frontend_dependencies(self, **_context: Any) -> list[str]:
        """The npm packages the screens need."""
        return [f"{name}@{version}" for name, version in PACKAGES.items()]

    def get_stylesheet_paths(self, **_context: Any) -> list[str]:
        """Style sheets that come from npm packages."""
        return [f"{FONT}/wght.css", *_color_sheets()]

    def pre_compile(self, **context: Any) -> None:
        """Change the generated files and add the catalogs, constants and texts of errors."""
        modify = context["add_modify_task"]
        modify("utils/state.js", changed_state)
        modify("utils/react-theme.js", changed_theme)
        modify("app/_document.js", leave_scrolling_to_browser)
        modify("app/routes.js", changed_routes)
        modify("vite.config.js", proxy_backend)
        modify("vite.config.js", libraries_apart)
        modify("vite.config.js", for_supported_browsers)
        modify("vite.config.js", plain_elements)
        modify("app/root.jsx", share_no_libraries)
        modify("app/root.jsx", explain_failures)
        for page in PAGES:
            modify(page, show_no_preview)
        modify("app/root.jsx", show_nothing_while_loading)
        context["add_save_task"](catalogs_module)
        context["add_save_task"](constants_module)
        context["add_save_task"](error_texts_module)

    def post_build(self, **context: Any) -> None:
        """Change the pages that were rendered in advance."""
        require_no_styles(get_web_dir())
        static_dir = context["static_dir"]
        for page in static_dir.rglob("*.html"):
            pages.adapt(page, static_dir)


def _color_sheets() -> list[str]:
    names = [
        *(f"{scale}{mode}" for scale in SCALES for mode in ("", "-dark")),
        *(f"{scale}{mode}-alpha" for scale in SEE_THROUGH for mode in ("", "-dark")),
    ]
    return [f"{COLORS}/{name}.css" for name in names]


def changed_state(_kept: str) -> str:
    """Reflex's half of the connection with our socket and storage, whatever was there."""
    source = evaluate_nothing_here(use_live_socket(template("utils/state.js")))
    source = load_each_screen_once(source)
    return use_forgiving_storage(source, "utils/state.js")


def changed_theme(_kept: str) -> str:
    """Reflex's theme with our storage."""
    return use_forgiving_storage(template("utils/react-theme.js"), "utils/react-theme.js")


def changed_routes(_kept: str) -> str:
    """Reflex's routes with one for the inbox and its conversations."""
    return route_inbox_once(template("app/routes.js"))


def use_live_socket(source: str) -> str:
    """Connect through assets/live/app/socket.js instead of socket.io-client itself."""
    return replace_once(
        source,
        'import io from "socket.io-client";',
        'import io from "$/public/live/app/socket.js";',
        "utils/state.js",
    )


def load_each_screen_once(source: str) -> str:
    """Send no state event when another conversation is opened: it comes with its feed."""
    begun = "    // Equivalent to routeChangeStart - runs when navigation begins\n"
    source = replace_once(
        source,
        begun,
        "    const left = prevLocationRef.current;\n"
        "    prevLocationRef.current = location;\n"
        "    if (isSameScreen(left, location)) return;\n\n" + begun,
        "utils/state.js",
    )
    return f'import {{isSameScreen}} from "$/public/live/navigation/router.js";\n{source}'


def evaluate_nothing_here(source: str) -> str:
    """Have Reflex's module evaluate scripts where none of its names can be meant.

    The page's policy lets it evaluate none, and because it might, no bundler shortens or leaves out
    anything in the file that this module ends in, which is the largest but one.
    """
    changed = re.sub(r"(?<![.\w])eval\(", INDIRECT_EVAL, source)
    if INDIRECT_EVAL not in changed:
        raise UnexpectedSource("utils/state.js", "eval(", 0)
    return changed


def use_forgiving_storage(source: str, file: str) -> str:
    """Go through assets/live/lib/storage.js: the browser's storage may be full, off or missing.

    Reflex would fail while it draws, and begin again with a new socket each time.
    """
    if STORAGES in source:
        return source
    changed, found = re.subn(r"(?:\bwindow\.)?\b(local|session)Storage\.", r"storages.\1.", source)
    if not found:
        raise UnexpectedSource(file, "localStorage", found)
    return f"{STORAGES}\n{changed}"


def leave_scrolling_to_browser(source: str) -> str:
    """Leave out what remembers how far pages were scrolled, and fails without a storage.

    No page here scrolls as a whole; lists and threads keep their places themselves.
    """
    return replace_once(
        source,
        'import {Links,Meta,Scripts,ScrollRestoration} from "react-router"',
        'import {Links,Meta,Scripts} from "react-router"\nconst ScrollRestoration = () => null;',
        "app/_document.js",
    )


def route_inbox_once(source: str) -> str:
    """Serve `/` and `/c/<id>` by the same route, so moving between them remounts nothing."""
    ignored = 'ignoredRouteFiles: ["routes/\\\\[404\\\\]._index.jsx"'
    source = replace_once(source, ignored, ignored + ', "routes/\\\\$.jsx"', "app/routes.js")
    return replace_once(
        source,
        '  route("*"',
        # Of routes that fit alike the first counts: one name alone is no conversation's.
        '  route(":unknown", "routes/[404]._index.jsx", { id: "unknown" }),\n'
        '  route("c?/:conversation?", "routes/$.jsx"),\n  route("*"',
        "app/routes.js",
    )


def proxy_backend(source: str) -> str:
    """Let the development server pass the back end's paths on, so all is one origin there too."""
    target = get_config().api_url
    proxy = {path: {"target": target, "ws": path == "/_event"} for path in BACKEND_PATHS}
    return replace_once(
        source,
        "  server: {\n",
        f"  server: {{\n    proxy: {json.dumps(proxy)},\n",
        "vite.config.js",
    )


def libraries_apart(source: str) -> str:
    """Bundle each large library in a file of its own, which stays in caches over many releases.

    Reflex's half of the connection is one file as well.
    """
    groups = "".join(
        f"            {{ test: {test}, name: {json.dumps(name)} }},\n"
        for name, test in FILES.items()
    )
    return replace_once(source, GROUPS, f"{GROUPS}{groups}", "vite.config.js")


def for_supported_browsers(source: str) -> str:
    """Build code and style sheets for the oldest browsers that the product supports."""
    return replace_once(
        source, BUILD, f"{BUILD}    target: {json.dumps(TARGET)},\n", "vite.config.js"
    )


def plain_elements(source: str) -> str:
    """Make elements with React alone: Emotion is 7 KB and a call more for each, and styles nothing.

    Looks come from assets/styles.
    """
    alias = (
        f"      {{\n        find: {json.dumps(STYLED)},\n        replacement: fileURLToPath("
        'new URL("./public/live/components/elements.js", import.meta.url)),\n      },\n'
    )
    return replace_once(source, ALIASES, f"{ALIASES}{alias}", "vite.config.js")


def require_no_styles(web: Path) -> None:
    """Stop the build for a component with a style of its own, which would be left out.

    Raises:
        UnexpectedSource: a page has one.
    """
    for folder in ("app", "app_components"):
        for page in sorted((web / folder).rglob("*.jsx")):
            if found := STYLE_PROPERTY.findall(page.read_text("utf-8")):
                raise UnexpectedSource(str(page.relative_to(web)), "no css property", len(found))


def share_no_libraries(source: str) -> str:
    """Leave out whole libraries that the page would load for components made at run time.

    There are none here, and of a library that is shared nothing can be left out. The development
    server would load them whole, and one that is made of modules alone refuses that.
    """
    if SHARED not in source:
        return source
    shortened, found = re.subn(
        r"  useEffect\(\(\) => \{[^}]*" + re.escape(SHARED) + r" \{[^}]*\};\s*\}, \[\]\);\n",
        "",
        source,
    )
    if found != 1:
        raise UnexpectedSource("app/root.jsx", SHARED, found)
    for line, name in re.findall(r'^(import \* as (\w+) from "[^"]+";\n)', shortened, re.MULTILINE):
        if len(re.findall(rf"\b{name}\b", shortened)) == 1:
            shortened = shortened.replace(line, "")
    return shortened


def show_no_preview(source: str) -> str:
    """Leave out the picture that Reflex names for previews of links: there is none."""
    shortened = source.replace(',jsx("meta",{content:"favicon.ico",property:"og:image"},)', "")
    if "og:image" in shortened:
        raise UnexpectedSource("a page", "og:image", 1)
    return shortened


def explain_failures(source: str) -> str:
    """Show our page in the place of the router's "Application Error" with an English stack."""
    app = "export default function App() {"
    page = 'export { FailedPage as ErrorBoundary } from "$/public/live/components/boundary.js";'
    return replace_once(source, app, f"{page}\n\n{app}", "app/root.jsx")


def show_nothing_while_loading(source: str) -> str:
    """Leave the screen empty until the page's code is there, where it is not rendered before.

    The router's own way writes an advertisement for it to the browser's console.
    """
    if NOTHING_WHILE_LOADING in source:
        return source
    if "HydrateFallback" in source:
        raise UnexpectedSource("app/root.jsx", "no HydrateFallback", 1)
    return f"{source}\n{NOTHING_WHILE_LOADING}"


def catalogs_module() -> tuple[str, str]:
    """The compiled catalogs as a JavaScript module, without what reads like its key."""
    told = {
        locale: {key: text for key, text in texts.items() if text != key}
        for locale, texts in all_texts().items()
    }
    catalogs = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True)
    return "utils/catalogs.js", f"export const catalogs = {catalogs};\n"


def error_texts_module() -> tuple[str, str]:
    """The texts of errors by code as a JavaScript module (assets/live/lib/error_texts.js)."""
    values = {
        "GENERAL": error_texts.GENERAL,
        "texts": error_texts.COMMANDS,
        "parameters": error_texts.PARAMETERS,
    }
    lines = [
        f"export const {name} = {json.dumps(value, ensure_ascii=False)};\n"
        for name, value in values.items()
    ]
    return "utils/error_texts.js", "".join(lines)
