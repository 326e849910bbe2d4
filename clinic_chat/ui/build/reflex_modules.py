"""Patches of Reflex's generated modules: its connection code, its routes and its root."""

import re
from pathlib import Path

from clinic_chat.ui.build.source_patch import UnexpectedSource, replace_once, template

NOTHING_WHILE_LOADING = "export function HydrateFallback() { return null; }\n"
STORAGES = 'import * as storages from "$/public/live/lib/storage.js";'
NO_COOKIES = '"cookies": {},'
SHARED = "window.__reflex ="
INDIRECT_EVAL = "globalThis.eval("
# A component's style becomes this property, which only Emotion understands.
STYLE_PROPERTY = re.compile(r"\bcss:")


def changed_state(_kept: str) -> str:
    """Reflex's connection code with our socket and storage, made from its template."""
    source = evaluate_nothing_here(use_live_socket(template("utils/state.js")))
    source = load_each_screen_once(source)
    return use_forgiving_storage(source, "utils/state.js")


def changed_theme(_kept: str) -> str:
    """Reflex's theme with our storage, made from its template."""
    return use_forgiving_storage(template("utils/react-theme.js"), "utils/react-theme.js")


def changed_routes(_kept: str) -> str:
    """Reflex's routes with one for the inbox and its conversations, made from its template."""
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
    """Send no state event when another conversation is opened, because its feed brings its data."""
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
    """Have Reflex's module evaluate scripts in the global scope, outside of its own names.

    The page's policy forbids evaluation anyway; but while the module might use it, no bundler
    shortens or leaves out anything in its file, the second largest.
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
    """Leave out scroll restoration, which fails without a storage.

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
        # Of equal matches the first counts: a single name is not a conversation's address.
        '  route(":unknown", "routes/[404]._index.jsx", { id: "unknown" }),\n'
        '  route("c?/:conversation?", "routes/$.jsx"),\n  route("*"',
        "app/routes.js",
    )


def require_no_styles(web: Path) -> None:
    """Stop the build if a component has a style of its own, which would be left out.

    Raises:
        UnexpectedSource: a page has one.
    """
    for folder in ("app", "app_components"):
        for page in sorted((web / folder).rglob("*.jsx")):
            if found := STYLE_PROPERTY.findall(page.read_text("utf-8")):
                raise UnexpectedSource(str(page.relative_to(web)), "no css property", len(found))


def require_no_cookies(web: Path) -> None:
    """Stop the build if a state keeps a var in a cookie, which would be kept nowhere.

    Raises:
        UnexpectedSource: a state does, or it is told in another way.
    """
    source = (web / "utils" / "context.jsx").read_text("utf-8")
    if source.count(NO_COOKIES) != 1:
        raise UnexpectedSource("utils/context.jsx", NO_COOKIES, source.count(NO_COOKIES))


def share_no_libraries(source: str) -> str:
    """Leave out whole libraries that the page would load for components made at run time.

    There are none here, and bundlers leave nothing out of a shared library. The development
    server would load them whole, which fails for one that consists of modules alone.
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
    """Leave out the image for link previews that Reflex names, because it does not exist."""
    shortened = source.replace(',jsx("meta",{content:"favicon.ico",property:"og:image"},)', "")
    if "og:image" in shortened:
        raise UnexpectedSource("a page", "og:image", 1)
    return shortened


def explain_failures(source: str) -> str:
    """Show our page in place of the router's "Application Error" with an English stack."""
    app = "export default function App() {"
    page = (
        'export { FailedPage as ErrorBoundary } from "$/public/live/components/react/boundary.js";'
    )
    return replace_once(source, app, f"{page}\n\n{app}", "app/root.jsx")


def show_nothing_while_loading(source: str) -> str:
    """Leave a page that is not prerendered empty until its code is there.

    The router's own fallback writes an advertisement for it to the browser's console.
    """
    if NOTHING_WHILE_LOADING in source:
        return source
    if "HydrateFallback" in source:
        raise UnexpectedSource("app/root.jsx", "no HydrateFallback", 1)
    return f"{source}\n{NOTHING_WHILE_LOADING}"
