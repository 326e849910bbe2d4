"""Everybody of one clinic has the same conversation open, and their colleagues answer in it."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.load.clients.crowd import arrive, dropped, leave
from tests.load.clients.deliveries import Message
from tests.load.clients.program import Program
from tests.load.clients.staff import Staff
from tests.load.clients.tab import Audience, Tab
from tests.load.measurements.memory import at_rest, growth
from tests.load.scenarios.talk import Pace, measured
from tests.load.servers.floors import FLOORS, measure_floor
from tests.load.servers.front_end import FrontEnd
from tests.load.servers.product import Product

CONVERSATIONS = 40
# A colleague who answers is one of these tabs.
SENDERS = 20
# What carries a message to a client; presence and the like is counted, but no part of it.
MESSAGE_EVENTS = ("messages patch", "conversations patch", "message:new", "conversation:updated")


@dataclass(frozen=True)
class Options:
    """How many tabs of how many people, and how long each part takes."""

    count: int
    people: int
    pace: Pace
    arrival_seconds: float
    rest_seconds: float
    floors: tuple[str, ...] = tuple(FLOORS)
    profile: Path | None = None
    programs: bool = False
    """Whether programs in the clinic's namespace stand in the place of the tabs."""


async def one_conversation(folder: Path, options: Options) -> dict[str, Any]:
    """Figures of the product and of each floor."""
    product = await _product(folder, options)
    floors = {}
    for name in options.floors:
        floors[name] = await measure_floor(
            name,
            folder,
            count=options.count,
            size=product["event_bytes"],
            pace=options.pace,
            arrival_seconds=options.arrival_seconds,
            rest_seconds=options.rest_seconds,
        )
    return {"product": product, "floors": floors}


async def _product(folder: Path, options: Options) -> dict[str, Any]:
    front_end = FrontEnd.built()
    product = await Product.filled(
        folder,
        clinics=1,
        people=options.people,
        conversations=CONVERSATIONS,
        profile=options.profile,
    )
    (cookies,) = await product.signed_in()
    await product.start()
    try:
        conversation = product.clinics[0].conversations[0]
        audience = Audience()

        def client(number: int) -> Tab | Program:
            if options.programs:
                clinic = product.clinics[0]
                token = clinic.tokens[number % len(clinic.tokens)]
                return Program(product.host, clinic.slug, token, conversation, audience)
            cookie = cookies[number % len(cookies)]
            return Tab(product.host, cookie, conversation, audience, front_end)

        visitor = [client(0)]
        await arrive(product.process, visitor)
        await leave(visitor)
        before = await at_rest(product.process, options.rest_seconds)
        crowd = [client(number) for number in range(options.count)]
        arrivals = await arrive(product.process, crowd, options.arrival_seconds)
        memory = growth(before, await at_rest(product.process, options.rest_seconds), options.count)
        turns = itertools.cycle(crowd[:: max(1, options.count // SENDERS)])
        staff = Staff(audience)

        def say(message: Message, text: str) -> None:
            staff.send(next(turns), message, text)

        audience.count_anew()
        if options.profile:
            product.process.toggle_profile()
        figures = await measured(product.process, audience, say, options.count, options.pace)
        if options.profile:
            product.process.toggle_profile()
        every = figures["messages"] + options.pace.warm_up
        lost = dropped(crowd)
        await leave(crowd)
    finally:
        product.process.stop()
    return {
        "time_to_live": arrivals,
        "memory": memory,
        **figures,
        "dropped": lost,
        "faults": dict(audience.faults),
        "event_bytes": sum(
            round(audience.sizes[name] / max(1, audience.events[name])) for name in MESSAGE_EVENTS
        ),
        "events_per_message": audience.per_message(every),
    }
