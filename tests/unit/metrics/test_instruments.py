"""Counters, histograms and readings: what they say, and how little they keep."""

import asyncio
from collections.abc import Iterator

import pytest
from prometheus_client.registry import DuplicateTimeseries

from clinic_chat.metrics import scrape
from clinic_chat.metrics.instruments import MOST, OTHER, REGISTRY, Counter, Gauge, Histogram
from clinic_chat.metrics.scrape import Measured, measured_by
from tests.support.metrics import Scrape


@pytest.fixture(autouse=True)
def _only_for_this_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process's own instruments stay as they are."""
    known = set(REGISTRY._collector_to_names)
    monkeypatch.setattr(Gauge, "instances", [*Gauge.instances])
    yield
    for collector in set(REGISTRY._collector_to_names) - known:
        REGISTRY.unregister(collector)


async def test_a_counter_counts_by_its_labels_from_nought() -> None:
    counter = Counter("test_doings", "Doings.", ("what",), known=[("known",)])
    for _ in range(3):
        counter.add("said")

    scraped = await Scrape.here()
    assert scraped.value("test_doings_total", what="said") == counter.value("said") == 3
    assert scraped.has("test_doings_total", what="known")
    assert counter.value("known") == counter.value("never") == 0


async def test_words_that_nobody_foresaw_are_counted_together_beyond_a_bound() -> None:
    counter = Counter("test_words", "Words.", ("word", "kind"))
    for number in range(MOST + 100):
        counter.add(f"{number}", "x")
    counter.add("7", "x")

    assert counter.value(OTHER, OTHER) == 100
    assert counter.value("7", "x") == 2
    (family,) = counter.collect()
    assert len(family.samples) == MOST + 1


async def test_a_histogram_says_how_many_were_within_each_bound() -> None:
    histogram = Histogram("test_seconds", "Seconds.", bounds=(0.1, 1.0))
    line = histogram.of()
    for value in (0.0, 0.1, 0.5, 1.0, 7.0):
        line.observe(value)

    scraped = await Scrape.here()
    assert scraped.value("test_seconds_bucket", le="0.1") == 2
    assert scraped.value("test_seconds_bucket", le="1.0") == 4
    assert scraped.value("test_seconds_bucket", le="+Inf") == 5
    assert scraped.value("test_seconds_count") == 5
    assert scraped.value("test_seconds_sum") == pytest.approx(8.6)


def test_a_name_is_there_once() -> None:
    Counter("test_once", "Once.")
    with pytest.raises(DuplicateTimeseries):
        Counter("test_once", "Twice.")


async def test_a_gauge_says_what_is_so_at_the_scrape_and_nothing_afterwards() -> None:
    gauge = Gauge("test_now", "Now.", ("what",))

    async def reading() -> Measured:
        return {gauge: {("this",): 5}}

    with measured_by(reading):
        assert (await Scrape.here()).value("test_now", what="this") == 5
    assert not (await Scrape.here()).has("test_now")


async def test_a_reading_that_fails_or_takes_long_keeps_no_other_number_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scrape, "READING_SECONDS", 0.02)
    gauge = Gauge("test_readings", "Readings.")

    async def fails() -> Measured:
        raise OSError("no database")

    async def hangs() -> Measured:
        await asyncio.sleep(60)
        return {}

    async def works() -> Measured:
        return {gauge: {(): 1}}

    before = (await Scrape.here()).value("clinic_chat_failed_readings_total")
    with measured_by(fails, hangs, works):
        scraped = await Scrape.here()
    assert scraped.value("test_readings") == 1
    assert scraped.value("clinic_chat_failed_readings_total") == before + 2


async def test_the_process_and_python_are_measured() -> None:
    scraped = await Scrape.here()

    assert scraped.value("process_resident_memory_bytes") > 1_000_000
    assert scraped.value("process_cpu_seconds_total") > 0
    assert scraped.has("python_gc_collections_total")
    assert scraped.value("clinic_chat_build_info") == 1
