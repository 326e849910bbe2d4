"""The metrics of a process, as a scrape reads them."""

from typing import Self

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from clinic_chat.metrics.scrape import exposition


class Scrape:
    """What one scrape got."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families: list[Metric] = list(text_string_to_metric_families(text))

    @classmethod
    async def here(cls) -> Self:
        """A scrape of the test's own process."""
        return cls((await exposition()).decode())

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples of this name that have these labels, 0 when there are none."""
        return sum(
            sample.value
            for family in self.families
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def has(self, name: str, **labels: str) -> bool:
        """Whether there is a sample of this name with these labels."""
        return any(
            sample.name == name and labels.items() <= sample.labels.items()
            for family in self.families
            for sample in family.samples
        )
