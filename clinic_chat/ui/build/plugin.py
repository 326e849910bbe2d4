"""Reflex plugin: brings the browser modules into the build.

Reflex is pinned: each change of its generated code is checked here and stops the build with
a clear error when the code to be changed is not there any more.
"""

from typing import Any

from reflex.plugins import Plugin
from reflex.utils.prerequisites import get_web_dir

from clinic_chat.ui.build import prerendered as pages
from clinic_chat.ui.build.constants import constants_module
from clinic_chat.ui.build.reflex_modules import (
    changed_routes,
    changed_state,
    changed_theme,
    explain_failures,
    leave_scrolling_to_browser,
    require_no_cookies,
    require_no_styles,
    share_no_libraries,
    show_no_preview,
    show_nothing_while_loading,
)
from clinic_chat.ui.build.vite_config import (
    for_supported_browsers,
    libraries_apart,
    proxy_backend,
    small_libraries,
)

# The typeface, served from here and not from a font service.
FONT = "@fontsource-variable/inter"
# Colour scales with the same contrast between steps in light and dark themes.
COLORS = "@radix-ui/colors"
# Menus by the rules of WAI-ARIA: focus, keys, typing ahead, and positions at the screen's edge.
MENUS = "@radix-ui/react-dropdown-menu"
# Encrypts unsent data in the browser (assets/live/outbox/sealed_storage.js): audited, without
# dependencies; unlike the browser's own, it is synchronous and works on plain HTTP.
CIPHERS = "@noble/ciphers"
PACKAGES = {FONT: "5.2.8", COLORS: "3.0.0", MENUS: "2.2.1", CIPHERS: "2.4.0"}
# The colours of assets/styles/tokens.css; some of them also see-through.
SCALES = ("slate", "jade", "amber", "blue", "red")
SEE_THROUGH = ("slate", "jade")
PAGES = ("app/routes/$.jsx", "app/routes/[login]._index.jsx", "app/routes/[404]._index.jsx")


class LivePlugin(Plugin):
    """Adds our socket in place of socket.io-client's, one route for the inbox, and the catalogs."""

    def get_frontend_dependencies(self, **_context: Any) -> list[str]:
        """The npm packages the screens need."""
        return [f"{name}@{version}" for name, version in PACKAGES.items()]

    def get_stylesheet_paths(self, **_context: Any) -> list[str]:
        """The style sheets from npm packages."""
        return [f"{FONT}/wght.css", *_color_sheets()]

    def pre_compile(self, **context: Any) -> None:
        """Change the generated files, and add the catalogs, constants and error texts."""
        # A server that builds nothing needs no Babel: the image has none.
        from clinic_chat.ui.build.texts import (
            catalogs_module,
            error_texts_module,
            settings_module,
            sign_in_module,
        )

        modify = context["add_modify_task"]
        modify("utils/state.js", changed_state)
        modify("utils/react-theme.js", changed_theme)
        modify("app/_document.js", leave_scrolling_to_browser)
        modify("app/routes.js", changed_routes)
        modify("vite.config.js", proxy_backend)
        modify("vite.config.js", libraries_apart)
        modify("vite.config.js", for_supported_browsers)
        modify("vite.config.js", small_libraries)
        modify("app/root.jsx", share_no_libraries)
        modify("app/root.jsx", explain_failures)
        for page in PAGES:
            modify(page, show_no_preview)
        modify("app/root.jsx", show_nothing_while_loading)
        context["add_save_task"](catalogs_module)
        context["add_save_task"](sign_in_module)
        context["add_save_task"](settings_module)
        context["add_save_task"](constants_module)
        context["add_save_task"](error_texts_module)

    def post_build(self, **context: Any) -> None:
        """Change the prerendered pages."""
        require_no_styles(get_web_dir())
        require_no_cookies(get_web_dir())
        static_dir = context["static_dir"]
        for page in static_dir.rglob("*.html"):
            pages.adapt(page, static_dir)


def _color_sheets() -> list[str]:
    names = [
        *(f"{scale}{mode}" for scale in SCALES for mode in ("", "-dark")),
        *(f"{scale}{mode}-alpha" for scale in SEE_THROUGH for mode in ("", "-dark")),
    ]
    return [f"{COLORS}/{name}.css" for name in names]
