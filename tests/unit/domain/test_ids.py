"""Ids are time-ordered UUIDs, so that new rows land at the end of an index."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from clinic_chat.storage.base import UtcDateTime, new_id, now

START = datetime(2026, 3, 1, tzinfo=UTC)


def test_an_id_is_a_version_7_uuid_of_the_rfc_variant() -> None:
    for _ in range(1000):
        value = new_id()
        assert value.version == 7
        assert value.variant == "specified in RFC 4122"


def test_ids_of_later_milliseconds_sort_later() -> None:
    with time_machine.travel(START, tick=False) as clock:
        ids = []
        for _ in range(1000):
            ids.append(new_id())
            clock.shift(timedelta(milliseconds=1))
    assert ids == sorted(ids)
    assert [str(value) for value in ids] == sorted(map(str, ids))


def test_an_id_carries_the_milliseconds_since_1970() -> None:
    with time_machine.travel(START, tick=False):
        assert new_id().int >> 80 == int(START.timestamp() * 1000)


def test_ids_of_one_millisecond_differ() -> None:
    with time_machine.travel(START, tick=False):
        assert len({new_id() for _ in range(10_000)}) == 10_000


@given(microsecond=st.integers(0, 999_999))
def test_now_is_cut_to_the_millisecond(microsecond: int) -> None:
    moment = START.replace(microsecond=microsecond)
    with time_machine.travel(moment, tick=False):
        assert now() == moment.replace(microsecond=microsecond // 1000 * 1000)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        UtcDateTime().process_bind_param(datetime(2026, 3, 1), sqlite.dialect())
