"""A page that events advance: none is left out, none is shown twice, and it stays as long."""

from dataclasses import replace
from typing import Any

import orjson

from clinic_chat.cache.entry import Entry, unpack
from clinic_chat.domain.messages.views import StaffMessage
from clinic_chat.realtime.feeds.cached.newest import Change, advanced, encoded
from clinic_chat.realtime.feeds.cached.trail import MOST_BLOCKS, Trail

FIELDS: dict[str, Any] = dict.fromkeys(StaffMessage.__dataclass_fields__, "")


def message(seq: int, body: str = "olá") -> StaffMessage:
    return StaffMessage(**{**FIELDS, "seq": seq, "body": body})


def page(version: int, first: int, last: int) -> Entry:
    return Entry(version, first, encoded(message(seq) for seq in range(first, last + 1)))


def numbers(entry: Entry) -> list[int]:
    return [orjson.loads(item)["seq"] for item in entry.items]


def test_new_messages_push_out_the_first_ones() -> None:
    newer = advanced(page(50, 11, 40), Change(50, 52, [message(41), message(42)]))
    assert (newer.version, newer.first) == (52, 13)
    assert numbers(newer) == list(range(13, 43))


def test_a_short_page_grows() -> None:
    assert numbers(advanced(page(1, 1, 1), Change(1, 2, [message(2)]))) == [1, 2]
    assert numbers(advanced(Entry(0, 1, ()), Change(0, 1, [message(1)]))) == [1]


def test_a_change_of_a_message_takes_its_place_and_of_one_before_the_page_none() -> None:
    newer = advanced(page(50, 11, 40), Change(50, 51, [message(3, "x"), message(20, "lida")]))
    assert numbers(newer) == list(range(11, 41))
    assert [orjson.loads(item)["body"] for item in newer.items].count("lida") == 1
    assert orjson.loads(newer.items[9]) == vars(message(20, "lida"))


def test_a_page_stays_as_it_was_when_a_change_is_missing_or_known() -> None:
    entry = page(50, 11, 40)
    assert advanced(entry, Change(51, 52, [message(42)])) is entry
    assert advanced(entry, Change(50, 51, [message(43)])) is entry
    assert advanced(entry, Change(48, 50, [message(40)])) is entry


def test_an_entry_is_the_same_after_its_way_through_redis() -> None:
    for entry in (page(50, 11, 40), Entry(0, 1, ())):
        assert unpack(entry.pack()) == entry
    packed = page(3, 1, 2).pack()
    for broken in (b"", b"x", b"[]", b"[1,2]\n", packed[:-1], packed + b"x", b"[1,2,[-1]]\n"):
        assert unpack(broken) is None


def test_a_trail_knows_which_blocks_were_touched_since() -> None:
    trail = Trail(10, 10)
    trail.extend([(12, 0)], 15)
    assert [trail.says_current(block, 10) for block in (0, 1)] == [False, True]
    assert trail.says_current(0, 12)
    # Of the time before it knows nothing.
    assert not trail.says_current(1, 9)
    trail.extend([(16, None)], 16)
    assert not trail.says_current(1, 15)
    assert trail.says_current(1, 16)


def test_a_trail_does_not_grow_without_end() -> None:
    trail = Trail(0, 0)
    trail.extend([(number, number) for number in range(1, 10 * MOST_BLOCKS)], 10 * MOST_BLOCKS)
    assert len(trail._touched) <= MOST_BLOCKS
    assert trail.says_current(1, 10 * MOST_BLOCKS)
    assert not trail.says_current(1, 1)
    assert replace(trail).until == 10 * MOST_BLOCKS
