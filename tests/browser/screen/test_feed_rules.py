"""The rules by which a tab keeps a feed current (assets/live/feeds/feed.js), in the browser."""

import base64
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from playwright.async_api import Browser, Page

from clinic_chat.settings import PROJECT_ROOT

SAFELY = "../lib/safely.js"
MODULE = PROJECT_ROOT / "assets" / "live" / "feeds" / "feed.js"
SCHEDULES = 300
VERSIONS = 12
# One script per test: calls on a new feed in order, then what the feed holds.
_PLAY = """
async ([source, calls]) => {
  const {Feed} = await import(source);
  const asked = [];
  const feed = new Feed("things", {
    askFor: ({version}) => { asked.push(version); return new Promise(() => {}); },
    accepts: ({hidden}) => !hidden,
  });
  feed.reset("here");
  for (const [method, argument] of calls) feed[method](argument);
  return {
    version: feed.version,
    ready: feed.ready,
    items: Object.fromEntries([...feed.items.values()].map(({id, text}) => [id, text])),
    asked,
  };
}
"""
# Many schedules of one history: after every step nothing may be older than the version says.
_CHECK = """
async ([source, history, schedules]) => {
  const {Feed} = await import(source);
  const newest = (id, version) =>
    Math.max(0, ...history.filter((one) => one.id === id && one.at <= version).map(({at}) => at));
  const patch = (from, to) => ({
    key: "here", from, to,
    upsert: history.filter(({at}) => from < at && at <= to)
      .map(({id}) => ({id, at: newest(id, to)})),
  });
  const snapshot = (version) => ({
    key: "here", version,
    items: [...new Set(history.map(({id}) => id))]
      .map((id) => ({id, at: newest(id, version)})).filter(({at}) => at > 0),
  });
  const broken = [];
  for (const [number, steps] of schedules.entries()) {
    const feed = new Feed("things", {askFor: () => new Promise(() => {})});
    feed.reset("here");
    for (const [kind, from, to] of steps) {
      const before = feed.version ?? 0;
      if (kind === "patch") feed.patch(patch(from, to));
      else feed.snapshot(snapshot(to));
      if (kind === "patch" && feed.version < before) broken.push([number, "went back"]);
      for (const {id} of history) {
        if ((feed.items.get(id)?.at ?? 0) < newest(id, feed.version ?? 0)) {
          broken.push([number, kind, from, to, id]);
        }
      }
    }
    const last = history.at(-1).at;
    feed.patch(patch(feed.version, last));
    if (feed.version !== last) broken.push([number, "did not end at the last version"]);
  }
  return broken;
}
"""


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    page = await browser.new_page()
    yield page
    await page.close()


def source() -> str:
    """The module, with the one that it imports, as an address that a page can import."""
    imported = _address((MODULE.parent / SAFELY).read_text())
    return _address(MODULE.read_text().replace(SAFELY, imported))


def _address(code: str) -> str:
    return f"data:text/javascript;base64,{base64.b64encode(code.encode()).decode()}"


def snapshot(version: int, **items: str) -> list[Any]:
    """A snapshot of the feed with these texts by id."""
    return ["snapshot", {"key": "here", "version": version, "items": _items(items)}]


def patch(since: int, to: int, key: str = "here", **items: str) -> list[Any]:
    """A patch with these texts by id."""
    return ["patch", {"key": key, "from": since, "to": to, "upsert": _items(items)}]


def _items(items: dict[str, str]) -> list[dict[str, str]]:
    return [{"id": name, "text": text} for name, text in items.items()]


async def play(page: Page, *calls: list[Any]) -> dict[str, Any]:
    """What a new feed holds and has asked for after these calls."""
    result: dict[str, Any] = await page.evaluate(_PLAY, [source(), list(calls)])
    return result


async def test_a_patch_that_continues_is_applied(page: Page) -> None:
    feed = await play(page, snapshot(3, a="old", b="kept"), patch(3, 4, a="new", c="added"))

    assert feed["items"] == {"a": "new", "b": "kept", "c": "added"}
    assert feed["version"] == 4
    assert feed["asked"] == []


async def test_a_patch_that_is_known_changes_nothing(page: Page) -> None:
    feed = await play(page, snapshot(5, a="newest"), patch(3, 4, a="older"), patch(4, 5, a="x"))

    assert feed["items"] == {"a": "newest"}
    assert feed["version"] == 5
    assert feed["asked"] == []


async def test_a_patch_that_overlaps_brings_the_rest(page: Page) -> None:
    feed = await play(page, snapshot(5, a="five"), patch(3, 7, a="seven", b="six"))

    assert feed["items"] == {"a": "seven", "b": "six"}
    assert feed["version"] == 7


async def test_a_hole_is_asked_for_once_and_not_jumped_over(page: Page) -> None:
    feed = await play(
        page, snapshot(3, a="three"), patch(4, 5, a="five"), patch(5, 6, b="six"), patch(7, 8)
    )

    assert feed["items"] == {"a": "three"}
    assert feed["version"] == 3
    assert feed["asked"] == [3]


async def test_the_answer_to_a_hole_is_applied_and_the_next_hole_is_asked_for(page: Page) -> None:
    feed = await play(
        page,
        snapshot(3, a="three"),
        patch(4, 5, a="five"),
        patch(3, 6, a="six", b="six"),
        patch(7, 8, b="eight"),
    )

    assert feed["items"] == {"a": "six", "b": "six"}
    assert feed["asked"] == [3, 6]


async def test_patches_behind_a_hole_wait_until_it_is_filled(page: Page) -> None:
    feed = await play(
        page, snapshot(3), patch(4, 5, a="five"), patch(5, 6, b="six"), patch(3, 4, c="four")
    )

    assert feed["items"] == {"a": "five", "b": "six", "c": "four"}
    assert feed["version"] == 6


async def test_patches_before_the_snapshot_wait_for_it(page: Page) -> None:
    early = [patch(3, 4, a="four"), patch(4, 5, b="five")]

    waiting = await play(page, *early)
    feed = await play(page, *early, snapshot(3, a="three"))
    newer = await play(page, *early, snapshot(5, a="four", b="from the snapshot"))

    assert waiting == {"version": None, "ready": False, "items": {}, "asked": []}
    assert feed["items"] == {"a": "four", "b": "five"}
    assert feed["version"] == 5
    assert newer["items"] == {"a": "four", "b": "from the snapshot"}


async def test_a_snapshot_replaces_what_was_there(page: Page) -> None:
    feed = await play(page, snapshot(3, a="three", gone="x"), snapshot(9, a="nine"))

    assert feed["items"] == {"a": "nine"}
    assert feed["version"] == 9


async def test_a_patch_of_another_key_is_ignored(page: Page) -> None:
    feed = await play(page, snapshot(3, a="three"), patch(3, 4, key="elsewhere", a="four"))

    assert feed["items"] == {"a": "three"}
    assert feed["version"] == 3


async def test_a_page_adds_what_is_missing_and_never_replaces(page: Page) -> None:
    older = ["page", _items({"a": "older", "b": "earlier"})]

    feed = await play(page, snapshot(3, a="newer"), older)

    assert feed["items"] == {"a": "newer", "b": "earlier"}
    assert feed["version"] == 3


async def test_an_item_outside_of_what_is_loaded_is_turned_down_but_counted(page: Page) -> None:
    item = {"id": "z", "text": "newer", "hidden": True}
    outside = ["patch", {"key": "here", "from": 3, "to": 4, "upsert": [item]}]

    feed = await play(page, snapshot(3, a="three"), outside)
    later = await play(page, snapshot(3), outside, ["page", _items({"z": "older"})])

    assert feed["items"] == {"a": "three"}
    assert feed["version"] == 4
    assert later["items"] == {"z": "newer"}


async def test_forgetting_a_feed_forgets_its_waiting_patches(page: Page) -> None:
    feed = await play(page, patch(3, 4, a="of before"), ["reset", "here"], snapshot(3, a="three"))

    assert feed["items"] == {"a": "three"}
    assert feed["version"] == 3


async def test_no_order_of_arrival_leaves_anything_older_than_the_version_says(page: Page) -> None:
    luck = random.Random(1)  # noqa: S311 (repeatable on purpose)
    history = [{"at": at, "id": luck.choice("abcd")} for at in range(1, VERSIONS + 1)]

    broken = await page.evaluate(
        _CHECK, [source(), history, [_schedule(luck) for _ in range(SCHEDULES)]]
    )

    assert broken == []


def _schedule(luck: random.Random) -> list[list[Any]]:
    """Patches and snapshots of one history: late, twice, out of order, or never."""
    steps: list[list[Any]] = [["snapshot", 0, luck.randint(0, VERSIONS)]]
    for at in range(1, VERSIONS + 1):
        for _ in range(luck.choice([0, 1, 1, 2])):
            steps.append(["patch", max(0, at - luck.choice([1, 1, 3])), at])
    if luck.random() < 0.3:
        steps.append(["snapshot", 0, luck.randint(0, VERSIONS)])
    luck.shuffle(steps)
    return steps
