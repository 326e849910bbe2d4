"""What axe finds on a screen."""

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

BLOCKING = {"serious", "critical"}
# What fades in has less contrast until it is there.
ANIMATIONS_END = """
() => Promise.all(
  document.getAnimations()
    .filter((animation) => animation.effect.getComputedTiming().endTime !== Infinity)
    .map((animation) => animation.finished),
)
"""
# The rule is experimental in axe: people who speak what they read on a button have to hit it.
OPTIONS = {
    "resultTypes": ["violations"],
    "rules": {"label-content-name-mismatch": {"enabled": True}},
}


async def accessibility_problems(page: Page, screen: str, part: str = "body") -> list[str]:
    """The blocking rules that the screen breaks in light and in dark, with the elements."""
    problems = []
    for scheme in ("dark", "light"):
        await page.emulate_media(color_scheme=scheme)
        await expect(page.locator("html")).to_have_class(scheme)
        await page.evaluate(ANIMATIONS_END)
        result = await Axe().run(page, part, options=OPTIONS)
        problems += [
            f"{screen}, {scheme}: {found['id']}: {node['html']}: {node['failureSummary']}"
            for found in result.response["violations"]
            if found["impact"] in BLOCKING
            for node in found["nodes"]
        ]
    return problems
