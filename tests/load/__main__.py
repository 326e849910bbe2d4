"""`python -m tests.load SCENARIO …`: measures the server under many sessions (see README.md)."""

import resource
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
import uvloop

from tests.load.measurements import report
from tests.load.measurements.core_speed import SERVERS_CORE
from tests.load.scenarios import (
    attack,
    importing,
    inp,
    one_conversation,
    sends,
    sessions,
    twenty_clinics,
    two_processes,
)
from tests.load.scenarios.attackers import Strength
from tests.load.scenarios.talk import WARM_UP_MESSAGES, Pace
from tests.load.servers.floors import FLOORS
from tests.load.servers.process import pin_generator

MOST_SESSIONS = 5_000
Show = Callable[[dict[str, Any]], None]
"""Prints the figures of a scenario that has no floors."""

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

Count = Annotated[int, typer.Option(min=1, max=MOST_SESSIONS, help="Sessions.")]
People = Annotated[int, typer.Option(min=1, max=1_000, help="People the sessions share.")]
Rate = Annotated[float, typer.Option(min=0.1, max=5_000, help="Messages a second.")]
Seconds = Annotated[float, typer.Option(min=1, max=3_600, help="How long messages are sent.")]
Idle = Annotated[float, typer.Option(min=0, max=600, help="How long idle CPU is watched.")]
Arrival = Annotated[float, typer.Option(min=0, max=600, help="Sessions arrive over so long.")]
Rest = Annotated[float, typer.Option(min=0, max=60, help="Idle time before memory is read.")]
WarmUp = Annotated[int, typer.Option(min=0, max=1_000, help="Messages before the measured ones.")]
Floors = Annotated[bool, typer.Option(help="Measure the floors in the same run.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")]
Profile = Annotated[
    Path | None, typer.Option(help="Count stacks of the server into this file; CPU rises.")
]


@app.callback()
def main() -> None:
    """Measure the server under many sessions, beside floors on the same machine."""
    # One descriptor per session on either side.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    pin_generator()


@app.command("one-conversation")
def one_conversation_command(
    count: Count = 500,
    people: People = 50,
    rate: Rate = 5,
    seconds: Seconds = 60,
    idle: Idle = 20,
    arrival: Arrival = 10,
    rest: Rest = 5,
    warm_up: WarmUp = WARM_UP_MESSAGES,
    floors: Floors = True,
    programs: Annotated[bool, typer.Option("--programs", help="Instead of tabs.")] = False,
    profile: Profile = None,
    json: Json = None,
) -> None:
    """Everybody of one clinic has one conversation open; colleagues answer in it."""
    options = one_conversation.Options(
        count,
        min(people, count),
        Pace(rate, seconds, idle, warm_up),
        arrival,
        rest,
        tuple(FLOORS) if floors else (),
        profile and profile.absolute(),
        programs,
    )
    _run("one-conversation", one_conversation.one_conversation, options, json)


@app.command("twenty-clinics")
def twenty_clinics_command(
    count: Count = 500,
    clinics: Annotated[int, typer.Option(min=1, max=100, help="Clinics.")] = 20,
    rate: Rate = 10,
    seconds: Seconds = 60,
    idle: Idle = 20,
    arrival: Arrival = 10,
    warm_up: WarmUp = WARM_UP_MESSAGES,
    profile: Profile = None,
    json: Json = None,
) -> None:
    """Many clinics; in each somebody types, answers, and the channel reports receipts."""
    pace = Pace(rate, seconds, idle, warm_up)
    options = twenty_clinics.Options(
        count, min(clinics, count), pace, arrival, profile and profile.absolute()
    )
    _run("twenty-clinics", twenty_clinics.twenty_clinics, options, json)


@app.command("two-processes")
def two_processes_command(
    each: Annotated[int, typer.Option(min=1, max=2_000, help="Sessions of each process.")] = 500,
    people: People = 50,
    rate: Rate = 3,
    seconds: Seconds = 60,
    idle: Idle = 20,
    arrival: Arrival = 10,
    rest: Rest = 5,
    warm_up: WarmUp = WARM_UP_MESSAGES,
    json: Json = None,
) -> None:
    """One clinic in two processes with PostgreSQL and Valkey, beside the half of it in one."""
    pace = Pace(rate, seconds, idle, warm_up)
    options = two_processes.Options(each, min(people, each), pace, arrival, rest)
    _run("two-processes", two_processes.two_processes, options, json, two_processes.show)


@app.command("importing")
def importing_command(
    count: Count = 50,
    calm: Annotated[float, typer.Option(min=5, max=600, help="Seconds before the import.")] = 60,
    messages: Annotated[int, typer.Option(min=10_000, max=1_000_000, help="Imported.")] = 100_000,
    json: Json = None,
) -> None:
    """Staff work while the past of their clinic is imported."""
    options = importing.Options(count, calm, messages)
    _run("importing", importing.importing, options, json, importing.show)


@app.command("sessions")
def sessions_command(
    count: Count = 500,
    people: People = 50,
    arrival: Arrival = 30,
    cycles: Annotated[int, typer.Option(min=1, max=100, help="Times all come and go.")] = 10,
    rest: Rest = 40,
    json: Json = None,
) -> None:
    """Sessions come one by one, all at once, and leave; time to live and memory."""
    options = sessions.Options(count, min(people, count), arrival, cycles, rest)
    _run("sessions", sessions.sessions, options, json)


@app.command("sends")
def sends_command(
    count: Annotated[int, typer.Option(min=1, max=500, help="Sessions that receive.")] = 50,
    at_once: Annotated[int, typer.Option(min=1, max=1_000, help="Sends under way.")] = 50,
    seconds: Seconds = 15,
    postgresql: Annotated[bool, typer.Option("--postgresql", help="Instead of SQLite.")] = False,
    profile: Profile = None,
    json: Json = None,
) -> None:
    """As many durable sends as go through, beside a bare loop on the same disk."""
    options = sends.Options(count, at_once, seconds, profile and profile.absolute(), postgresql)
    _run("sends", sends.sends, options, json)


@app.command("attack")
def attack_command(
    share: Annotated[float, typer.Option(min=0.01, max=1, help="Of the attack's strength.")] = 1.0,
    seconds: Seconds = 40,
    rest: Rest = 35,
    json: Json = None,
) -> None:
    """Silent sockets, floods, wrong sign-ins and bad packets while another clinic works."""
    strength = attack.weakened(Strength(seconds=seconds), share)
    with TemporaryDirectory(prefix="clinic-chat-load-") as temporary:
        options = attack.Options(strength, rest)
        figures = uvloop.run(attack.under_attack(Path(temporary), options))
    if json is not None:
        json.write_text(report.as_json(vars(options), {"attack": figures}))
    if not attack.show(figures):
        raise typer.Exit(1)


@app.command("inp")
def inp_command(
    conversations: Annotated[int, typer.Option(min=20, max=5_000)] = inp.CONVERSATIONS,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Of every interaction.")] = 3,
    json: Json = None,
) -> None:
    """From what a person does to the next picture, in a browser as it is and at a quarter."""
    with TemporaryDirectory(prefix="clinic-chat-load-") as temporary:
        figures = uvloop.run(inp.main(Path(temporary), conversations, rounds))
    if json is not None:
        json.write_text(report.as_json({"conversations": conversations}, {"inp": figures}))
    if not inp.show(figures):
        raise typer.Exit(1)


def _run(
    name: str, scenario: Any, options: Any, json: Path | None, show: Show | None = None
) -> None:
    with TemporaryDirectory(prefix="clinic-chat-load-") as temporary:
        folder = Path(temporary)
        with SERVERS_CORE.watched(folder / "core-speed.log"):
            figures = uvloop.run(scenario(folder, options))
    if show is None:
        report.show(name, figures)
    else:
        show(figures)
    if json is not None:
        json.write_text(report.as_json(vars(options), {name: figures}))


if __name__ == "__main__":
    app()
