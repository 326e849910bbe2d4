"""Sessions that come and go: how fast they are live, and what memory they take and give back."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.load.clients.crowd import arrive, dropped, leave
from tests.load.clients.tab import Audience, Tab
from tests.load.measurements.memory import at_rest, growth
from tests.load.servers.front_end import FrontEnd
from tests.load.servers.product import Product

CONVERSATIONS = 40
# The first ones open the database's connections and fill caches, which stay.
VISITORS = 20


@dataclass(frozen=True)
class Options:
    """How many tabs of how many people, over how long they arrive, and how often again."""

    count: int
    people: int
    arrival_seconds: float
    cycles: int
    rest_seconds: float


async def sessions(folder: Path, options: Options) -> dict[str, Any]:
    """Figures of the product: one alone, many over a while, many at once, many again and again."""
    front_end = FrontEnd.built()
    product = await Product.filled(
        folder, clinics=1, people=options.people, conversations=CONVERSATIONS, profile=None
    )
    (cookies,) = await product.signed_in()
    await product.start()
    process, audience = product.process, Audience()

    def crowd(count: int) -> list[Tab]:
        places = product.clinics[0].conversations
        return [
            Tab(product.host, cookies[n % len(cookies)], places[0], audience, front_end)
            for n in range(count)
        ]

    try:
        visitors = crowd(VISITORS)
        await arrive(process, visitors)
        await leave(visitors)
        alone = crowd(1)
        single = await arrive(process, alone)
        await leave(alone)
        before = await at_rest(process, options.rest_seconds)

        spread = crowd(options.count)
        over_a_while = await arrive(process, spread, options.arrival_seconds)
        memory = growth(before, await at_rest(process, options.rest_seconds), options.count)
        lost = dropped(spread)
        await leave(spread)

        at_once: list[dict[str, Any]] = []
        left_mb: list[float] = []
        for _ in range(options.cycles):
            together = crowd(options.count)
            arrivals = await arrive(process, together)
            took = max(t.live_at for t in together) - min(t.dialled_at for t in together)
            at_once.append({**arrivals, "all_live_ms": round(took * 1000, 1)})
            lost += dropped(together)
            await leave(together)
            left_mb.append(round(await at_rest(process, options.rest_seconds) / 1024, 1))
    finally:
        process.stop()
    return {
        "product": {
            "single": single,
            "time_to_live": over_a_while,
            "at_once": at_once[0],
            "slowest_at_once_ms": max(run["all_live_ms"] for run in at_once),
            "each_at_once": [(run["all_live_ms"], run["slowdown"]) for run in at_once],
            "memory": memory,
            "after_leaving_mb": left_mb,
            "growth_percent": round((left_mb[-1] / left_mb[0] - 1) * 100, 1),
            "dropped": lost,
            "faults": dict(audience.faults),
        },
        "floors": {},
    }
