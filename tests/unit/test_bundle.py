"""What the front end's build is made to leave out."""

import pytest

from clinic_chat.ui.plugin import share_no_libraries

SHARING = """
import * as radix_ui_themes from "@radix-ui/themes";

function ReflexProviders({children}) {
  useEffect(() => {
    // Make contexts and state objects available globally for dynamic eval'd components
    window.__reflex = {
          "react": React,
    "@radix-ui/themes": radix_ui_themes,
    };
  }, []);

  return jsx(ThemeProvider, {}, children);
}
"""


def test_no_library_is_shared_and_nothing_else_is_lost() -> None:
    shortened = share_no_libraries(SHARING)

    assert "__reflex" not in shortened
    assert "useEffect" not in shortened
    assert "return jsx(ThemeProvider, {}, children);" in shortened
    assert share_no_libraries(shortened) == shortened


def test_a_page_that_shares_them_in_another_way_stops_the_build() -> None:
    with pytest.raises(RuntimeError, match=r"app/root\.jsx"):
        share_no_libraries("window.__reflex = everything;")
