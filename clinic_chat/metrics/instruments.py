"""Counters, histograms and gauges: plain numbers in dictionaries, which a scrape reads.

The library's own lock for every change and look their bounds through one by one. These belong to
the event loop, which changes them and reads them.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import ClassVar, Generic, TypeVar

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Metric,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

# What is labelled by a word that nobody foresaw is counted under `OTHER` beyond so many.
MOST = 500
OTHER = "other"
# Of what takes from less than a millisecond to the ten seconds after which a browser gives up.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

Labels = tuple[str, ...]
Value = TypeVar("Value")

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)


class _Instrument(Collector, Generic[Value]):
    """A family of numbers by labels; `known` are there from the start, so that rates have a 0."""

    def __init__(
        self, name: str, text: str, labels: Labels = (), known: Iterable[Labels] = ()
    ) -> None:
        self.name, self._text, self._labels = name, text, labels
        self._values: dict[Labels, Value] = {}
        for each in known if labels else [()]:
            self._values[each] = self._new()
        REGISTRY.register(self)

    def _new(self) -> Value:
        raise NotImplementedError

    def _at(self, labels: Labels) -> Labels:
        """These labels, which are there afterwards, or those of everything else."""
        if labels not in self._values:
            if len(self._values) >= MOST:
                labels = (OTHER,) * len(labels)
            self._values.setdefault(labels, self._new())
        return labels

    def describe(self) -> Iterable[Metric]:
        """The family without its numbers: the registry refuses a second one of the name."""
        return [self._family()]

    def _family(self) -> Metric:
        raise NotImplementedError


class Counter(_Instrument[int]):
    """How often something happened since the start."""

    def add(self, *labels: str) -> None:
        """Count one more."""
        try:
            self._values[labels] += 1
        except KeyError:
            self._values[self._at(labels)] += 1

    def value(self, *labels: str) -> int:
        """How often it has been counted."""
        return self._values.get(labels, 0)

    def collect(self) -> Iterable[Metric]:
        """The family with its numbers, for the registry."""
        family = self._family()
        for labels, number in self._values.items():
            family.add_metric(labels, number)
        return [family]

    def _new(self) -> int:
        return 0

    def _family(self) -> CounterMetricFamily:
        return CounterMetricFamily(self.name, self._text, labels=self._labels)


class Distribution:
    """How often a value was within each bound, and the sum of all: one line of a histogram."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value


class Histogram(_Instrument[Distribution]):
    """How values are distributed over `bounds`."""

    def __init__(
        self,
        name: str,
        text: str,
        labels: Labels = (),
        known: Iterable[Labels] = (),
        bounds: tuple[float, ...] = SECONDS,
    ) -> None:
        self._bounds = bounds
        super().__init__(name, text, labels, known)

    def observe(self, value: float, *labels: str) -> None:
        """Count a value."""
        self.of(*labels).observe(value)

    def of(self, *labels: str) -> Distribution:
        """The line of these labels, for who counts often."""
        found = self._values.get(labels)
        return self._values[self._at(labels)] if found is None else found

    def collect(self) -> Iterable[Metric]:
        """The family with its numbers, for the registry."""
        family = self._family()
        names = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        for labels, line in self._values.items():
            within, buckets = 0, []
            for name, count in zip(names, line.counts, strict=True):
                within += count
                buckets.append((name, float(within)))
            family.add_metric(labels, buckets, line.total)
        return [family]

    def _new(self) -> Distribution:
        return Distribution(self._bounds)

    def _family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(self.name, self._text, labels=self._labels)


class Gauge(Collector):
    """What is so at the moment of a scrape; a reading says it (`scrape.py`)."""

    instances: ClassVar[list["Gauge"]] = []

    def __init__(self, name: str, text: str, labels: Labels = ()) -> None:
        self.name, self._text, self._labels = name, text, labels
        self._values: dict[Labels, float] = {}
        self.instances.append(self)
        REGISTRY.register(self)

    def clear(self) -> None:
        """Forget what was so at the last scrape."""
        self._values = {}

    def take(self, values: Mapping[Labels, float]) -> None:
        """Take what is so now."""
        self._values.update(values)

    def describe(self) -> Iterable[Metric]:
        """As of the others."""
        return [self._family()]

    def collect(self) -> Iterable[Metric]:
        """The family with its numbers, for the registry."""
        family = self._family()
        for labels, number in self._values.items():
            family.add_metric(labels, number)
        return [family]

    def _family(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(self.name, self._text, labels=self._labels)
