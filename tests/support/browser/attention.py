"""Whether somebody looks at a page: pages under test are always in front, unless told."""

from playwright.async_api import Page

# For a page's start: it can be hidden, and not have the focus, as a tab behind another one.
CAN_LOOK_AWAY = """
(() => {
  let looked = true;
  Object.defineProperty(Document.prototype, "hidden", {get: () => !looked});
  Object.defineProperty(Document.prototype, "visibilityState", {
    get: () => (looked ? "visible" : "hidden"),
  });
  Document.prototype.hasFocus = () => looked;
  window.setLooked = (value) => {
    looked = value;
    document.dispatchEvent(new Event("visibilitychange"));
    window.dispatchEvent(new Event(value ? "focus" : "blur"));
  };
})();
"""


async def look_away(page: Page) -> None:
    """Go to another tab. The page needs the script above."""
    await page.evaluate("() => window.setLooked(false)")


async def look_back(page: Page) -> None:
    """Come back to the tab."""
    await page.evaluate("() => window.setLooked(true)")
