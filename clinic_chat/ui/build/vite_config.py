"""Patches of Reflex's Vite configuration."""

import json

from reflex_base.config import get_config

from clinic_chat.ui.build.source_patch import replace_once

GROUPS = "          groups: [\n"
BUILD = "  build: {\n"
ALIASES = "    alias: [\n"
STYLED = "@emotion/react"
# The oldest supported browsers (README.md). Without it Vite's own minimum would count, which rises
# with its releases. Syntax and style sheets are lowered to it, web APIs are not.
TARGET = ("chrome99", "edge99", "firefox97", "safari15.4")
# Bundled files by name. Those that the page begins with are each evaluated in a turn of their own
# (prerendered.py).
FILES = {
    "react": r"/node_modules\/(react|react-dom|scheduler)\//",
    "router": r"/node_modules\/react-router\//",
    "socket": r"/node_modules\/(socket|engine)\.io-/",
    # Loaded on demand (assets/live/menus/menu.js).
    "menus": r"/node_modules\/(@radix-ui|@floating-ui|react-remove-scroll|aria-hidden)/",
    # The socket begins to connect after the first of these, and needs the others for it.
    "state": (
        r"/\.web\/(utils\/(state|context|context-registry)|public\/live\/components\/boundary)"
        r"\.jsx?$/"
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


def plain_elements(source: str) -> str:
    """Make elements with React alone: Emotion is 7 KB and a call for each, and styles nothing.

    The styles are in assets/styles.
    """
    alias = (
        f"      {{\n        find: {json.dumps(STYLED)},\n        replacement: fileURLToPath("
        'new URL("./public/live/components/react/elements.js", import.meta.url)),\n      },\n'
    )
    return replace_once(source, ALIASES, f"{ALIASES}{alias}", "vite.config.js")
