"""Many clinics on one server: in each a colleague types and answers every two seconds."""

import asyncio
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.load.clients.crowd import arrive, dropped, leave
from tests.load.clients.deliveries import Message
from tests.load.clients.staff import Staff
from tests.load.clients.tab import Audience, Tab
from tests.load.scenarios.talk import Pace, measured
from tests.load.servers.data import ClinicData
from tests.load.servers.front_end import FrontEnd
from tests.load.servers.product import Product

CONVERSATIONS = 8
PEOPLE = 5
TYPING_SECONDS = 0.5


@dataclass(frozen=True)
class Options:
    """How many tabs in how many clinics; `pace.rate` is messages a second of all together."""

    count: int
    clinics: int
    pace: Pace
    arrival_seconds: float
    profile: Path | None = None


async def twenty_clinics(folder: Path, options: Options) -> dict[str, Any]:
    """Figures of the product."""
    front_end = FrontEnd.built()
    product = await Product.filled(
        folder,
        clinics=options.clinics,
        people=PEOPLE,
        conversations=CONVERSATIONS,
        profile=options.profile,
    )
    cookies = await product.signed_in()
    await product.start()
    audience = Audience()
    staff = Staff(audience)
    each = options.count // options.clinics
    try:
        groups = [
            [
                Tab(
                    product.host,
                    cookies[number][seat % PEOPLE],
                    clinic.conversations[0],
                    audience,
                    front_end,
                )
                for seat in range(each)
            ]
            for number, clinic in enumerate(product.clinics)
        ]
        crowd = [tab for group in groups for tab in group]
        arrivals = await arrive(product.process, crowd, options.arrival_seconds)
        audience.count_anew()
        turns = itertools.cycle(zip(product.clinics, groups, strict=True))
        async with httpx.AsyncClient(base_url=f"http://{product.host}") as channel:

            def say(message: Message, text: str) -> None:
                clinic, group = next(turns)
                staff.do(_answers(staff, channel, clinic, group, message, text))

            if options.profile:
                product.process.toggle_profile()
            figures = await measured(product.process, audience, say, each, options.pace)
            await staff.finish()
            if options.profile:
                product.process.toggle_profile()
        every = figures["messages"] + options.pace.warm_up
        lost = dropped(crowd)
        await leave(crowd)
    finally:
        product.process.stop()
    return {
        "product": {
            "time_to_live": arrivals,
            **figures,
            "dropped": lost,
            "faults": dict(audience.faults),
            "events_per_message": audience.per_message(every),
        },
        "floors": {},
    }


async def _answers(
    staff: Staff,
    channel: httpx.AsyncClient,
    clinic: ClinicData,
    group: list[Tab],
    message: Message,
    text: str,
) -> None:
    """Type, answer, have a colleague read it, and have the channel report both receipts."""
    writer, reader = group[0], group[-1]
    key = writer.conversation
    writer.tell("typing:start", {"conversationId": key})
    await asyncio.sleep(TYPING_SECONDS)
    message.restart()
    message_id = await staff.sent(writer, message, text)
    if not message_id:
        return
    await staff.asked(reader, "message:read", {"conversationId": key, "seq": reader.last_seq})
    for status in ("delivered", "read"):
        reported = await channel.post(
            f"/api/v1/messages/{message_id}/status",
            json={"status": status},
            headers={"Authorization": f"Bearer {clinic.token}"},
        )
        reported.raise_for_status()
