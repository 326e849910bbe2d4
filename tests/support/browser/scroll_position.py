"""Where the reader is in the open conversation, and whether it moves under their eyes."""

from playwright.async_api import Page, expect

STILL_PX = 2
"""By so much a message may move that should not."""

AREA = "[data-testid=message-list]"
_SCROLL = """
async ([area, top]) => {
  const element = document.querySelector(area);
  element.scrollTop = top < 0 ? element.scrollHeight + top - element.clientHeight : top;
  // Two frames: the scroll event comes with the next one.
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}
"""
_FROM_BOTTOM = """
(area) => {
  const {scrollHeight, scrollTop, clientHeight} = document.querySelector(area);
  return scrollHeight - scrollTop - clientHeight;
}
"""
# An observer is called in the frame that changes a size, after those that exist already and
# before the browser paints: what it sees is what a person sees.
_WATCH = """
(area) => {
  const element = document.querySelector(area);
  const edge = () => element.getBoundingClientRect().top;
  const row = [...element.querySelectorAll("[data-testid=message] .message-body")].find(
    (body) => body.getBoundingClientRect().top >= edge(),
  );
  const place = () => row.getBoundingClientRect().top - edge();
  const before = place();
  window.moved = {row, most: 0, look() {
    this.most = row.isConnected ? Math.max(this.most, Math.abs(place() - before)) : Infinity;
    return this.most;
  }};
  const sizes = new ResizeObserver(() => window.moved.look());
  sizes.observe(element.firstElementChild);
  sizes.observe(element);
}
"""
# Between a change and its frame the place is not yet kept, and nobody has seen it.
_MOVED = """
(area) => new Promise((done) => {
  new ResizeObserver((_, sizes) => {
    sizes.disconnect();
    done(window.moved.look());
  }).observe(document.querySelector(area));
})
"""


async def scroll_to(page: Page, top: float) -> None:
    """Scroll to so many pixels from the top, or, if negative, from the bottom."""
    await page.evaluate(_SCROLL, [AREA, top])


async def scroll_and_watch(page: Page, top: float) -> None:
    """Scroll there, and remember from that moment on how far the first whole message moves."""
    # In one go: a page that comes in between would be taken for where the message was.
    await page.evaluate(
        f"([area, top]) => {{ document.querySelector(area).scrollTop = top; ({_WATCH})(area); }}",
        [AREA, top],
    )


async def scroll_as_the_beginning_grows(page: Page, top: float, by: float) -> None:
    """Scroll there, watch the place, and add so many pixels above before the scroll's event."""
    await page.evaluate(
        f"""([area, top, by]) => {{
          const element = document.querySelector(area);
          element.scrollTop = top;
          ({_WATCH})(area);
          const added = document.createElement("div");
          added.style.height = `${{by}}px`;
          element.firstElementChild.prepend(added);
        }}""",
        [AREA, top, by],
    )


async def watch_place(page: Page) -> None:
    """Remember from now on how far the first whole message in view moves."""
    await page.evaluate(_WATCH, AREA)


async def moved(page: Page) -> float:
    """By how many pixels it moved at most since `watch_place`."""
    most: float = await page.evaluate(_MOVED, AREA)
    return most


async def is_at_bottom(page: Page) -> None:
    """Return when the newest message is at the bottom; the view is exactly there."""
    await expect(page.get_by_test_id("jump-to-latest")).to_have_count(0)
    await page.wait_for_function(f"(area) => Math.abs(({_FROM_BOTTOM})(area)) <= 1", arg=AREA)


async def from_bottom(page: Page) -> float:
    """How many pixels are below the view."""
    pixels: float = await page.evaluate(_FROM_BOTTOM, AREA)
    return pixels
