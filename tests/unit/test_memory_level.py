"""What is kept in memory is limited in bytes, in number and in time."""

from dataclasses import dataclass

from clinic_chat.cache.memory import MOST_ENTRIES, OVERHEAD_BYTES, MemoryLevel
from clinic_chat.metrics.cache import ITEMS

LIMIT = 100 * 1024


@dataclass(frozen=True)
class Value:
    """Something of a size."""

    size: int


def test_what_was_not_used_for_longest_makes_room() -> None:
    level = MemoryLevel(LIMIT)
    large = Value(LIMIT // 3 - OVERHEAD_BYTES)
    for name in ("one", "two", "three"):
        level.put(name, large)
    assert level.get("one") is large
    level.put("four", large)
    assert [level.get(name) is large for name in ("one", "two", "three", "four")] == [
        *(True, False, True, True)
    ]


def test_what_is_too_large_takes_the_place_of_nothing_but_its_older_self() -> None:
    level = MemoryLevel(LIMIT)
    small = Value(10)
    level.put("one", small)
    level.put("two", small)
    level.put("two", Value(LIMIT))
    assert level.get("one") is small
    assert level.get("two") is None


async def test_there_are_not_more_than_so_many() -> None:
    level = MemoryLevel(MOST_ENTRIES * 1024)
    for number in range(MOST_ENTRIES + 100):
        level.put(number, Value(0))
    measured = await level.measured()
    assert measured[ITEMS] == {(): MOST_ENTRIES}


def test_what_is_old_is_forgotten() -> None:
    level = MemoryLevel(LIMIT, seconds=0)
    level.put("one", Value(10))
    assert level.get("one") is None
