"""`python -m tests.load SCENARIO …`: measures the server under many sessions (see README.md)."""

import resource
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
import uvloop

from tests.load import report
from tests.load.floors import FLOORS
from tests.load.one_conversation import Options, one_conversation
from tests.load.process import pin_generator
from tests.load.talk import WARM_UP_MESSAGES, Pace

MOST_SESSIONS = 5_000

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
    profile: Profile = None,
    json: Json = None,
) -> None:
    """Everybody of one clinic has one conversation open; colleagues answer in it."""
    options = Options(
        count,
        min(people, count),
        Pace(rate, seconds, idle, warm_up),
        arrival,
        rest,
        tuple(FLOORS) if floors else (),
        profile and profile.absolute(),
    )
    with TemporaryDirectory(prefix="clinic-chat-load-") as folder:
        figures = uvloop.run(one_conversation(Path(folder), options))
    report.show("one conversation", figures)
    if json is not None:
        json.write_text(report.as_json(vars(options), {"one-conversation": figures}))


if __name__ == "__main__":
    app()
