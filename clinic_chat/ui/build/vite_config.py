"""Patches of Reflex's Vite configuration."""

import json

from reflex_base.config import get_config

from clinic_chat.ui.build.source_patch import replace_once

GROUPS = "          groups: [\n"
BUILD = "  build: {\n"
ALIASES = "    alias: [\n"
# Libraries of which pages use next to nothing, and the modules of assets/live that do that instead:
# 13 KB of compressed code (docs/reflex.md).
REPLACED = {
    "@emotion/react": "components/react/elements.js",
    "mergician": "components/react/merged_props.js",
    "universal-cookie": "lib/no_cookies.js",
}
# The oldest supported browsers (README.md). Without it Vite's own minimum would count, which rises
# with its releases. Syntax and style sheets are lowered to it, web APIs are not.
TARGET = ("chrome99", "edge99", "firefox97", "safari15.4")
# Bundled files by name. Those that the page begins with are each evaluated in a turn of their own
# (prerendered.py).
FILES = {
    "react": r"/node_modules\/(react|react-dom|scheduler)\//",
    "router": r"/node_modules\/react-router\//",
    "socket": r"/node_modules\/(socket|engine)\.io-/",
    # Small files for single icons would each take a request of their own.
    "icons": r"/node_modules\/lucide-react/",
    # Loaded on demand (assets/live/menus/menu.js).
    "menus": r"/node_modules\/(@radix-ui|@floating-ui|react-remove-scroll|aria-hidden)/",
    # The socket begins to connect after the first of these, and needs the others for it.
    "state": (
        r"/\.web\/(utils\/(state|context|context-registry)"
        # What most pages share, which would be four small files.
        r"|public\/live\/(app\/(bridge|connection_badge)|account\/time|sign_in\/sign_out"
        r"|components\/(react\/boundary|clipboard|confirm)))\.jsx?$/"
    ),
}
BACKEND_PATHS = ("/_event", "/auth", "/api", "/healthz", "/readyz", "/metrics")


def proxy_backend(source: str) -> str:
    """Let the development server proxy the back end's paths, so that all is one origin there."""
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

    Reflex's connection code gets one file as well.
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


def small_libraries(source: str) -> str:
    """Bundle modules of our own in place of libraries that pages use next to nothing of."""
    aliases = "".join(
        f"      {{\n        find: {json.dumps(library)},\n        replacement: fileURLToPath("
        f'new URL("./public/live/{module}", import.meta.url)),\n      }},\n'
        for library, module in REPLACED.items()
    )
    return replace_once(source, ALIASES, f"{ALIASES}{aliases}", "vite.config.js")
