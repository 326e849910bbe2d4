"""Which part of Radix Themes' style sheet the pages load."""

import json
from typing import Any

import reflex as rx

from clinic_chat.ui.generated import replace_once

RADIX = "@radix-ui/themes"
# The scales behind accent, gray, and what warns, informs or destroys.
COLORS = ("gray", "slate", "jade", "amber", "blue", "red")
# The families of components that menus and dialogs are made of.
COMPONENTS = (
    "AlertDialog",
    "BaseDialog",
    "BaseMenu",
    "DropdownMenu",
    "Heading",
    "ScrollArea",
    "Text",
)
_POSTCSS = "postcss.config.js"
_IMPORTS = '    "postcss-import": {},\n'
_FILTER = "utils/used_components.js"
_FILTER_SOURCE = r"""
const used = new RegExp(`^\\.rt-(${FAMILIES.join("|")})(?![a-z])`);
const isUsed = (selector) =>
  (selector.match(/\.rt-[A-Z]\w*/g) ?? []).every((name) => used.test(name));

function remove(node) {
  const { parent } = node;
  node.remove();
  if (parent.type === "atrule" && parent.nodes.length === 0) remove(parent);
}

const plugin = () => ({
  postcssPlugin: "used-components",
  Once(root) {
    root.walkRules((rule) => {
      const selectors = rule.selectors.filter(isUsed);
      if (selectors.length === 0) remove(rule);
      else if (selectors.length < rule.selectors.length) rule.selectors = selectors;
    });
  },
});
plugin.postcss = true;
export default plugin;
"""


class Themes(rx.plugins.RadixThemesPlugin):
    """Radix Themes without the colours, components and layout classes that no screen here uses.

    They are five sixths of its style sheet, which a browser reads before it shows anything and
    matches against every element.
    """

    def get_stylesheet_paths(self, **_context: Any) -> tuple[str, ...]:
        """The parts of the style sheet, in the order in which it has them."""
        tokens = ("base", *(f"colors/{color}" for color in COLORS))
        return (*(f"{RADIX}/tokens/{part}.css" for part in tokens), f"{RADIX}/components.css")

    def pre_compile(self, **context: Any) -> None:
        """Have the bundler leave out the rules of other components."""
        super().pre_compile(**context)
        context["add_modify_task"](_POSTCSS, filter_components)
        context["add_save_task"](_filter_module)


def filter_components(source: str) -> str:
    """Reflex's configuration of PostCSS, with the filter after the imports."""
    return replace_once(source, _IMPORTS, f'{_IMPORTS}    "./{_FILTER}": {{}},\n', _POSTCSS)


def _filter_module() -> tuple[str, str]:
    return _FILTER, f"const FAMILIES = {json.dumps(COMPONENTS)};{_FILTER_SOURCE}"
