"""Demo scripts: parses the demo's conversations from their text form.

# Patient's name, +5511900000101
status: resolved            (or open, pending)
assignee: ana               (optional)
unread: ana, bruno          (optional: staff who have not read the patient's last messages)
@ 3 09:15                   the following lines start at 09:15, three working days ago
> a message of the patient
ana> a message of Ana
ana [failed: why]> a message with a status other than the usual one
| a further line of the message above
@ -12                       the following lines end twelve minutes ago
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

from clinic_chat.domain.conversations.conversation import Status
from clinic_chat.domain.messages.message import MessageStatus

_SAID = re.compile(
    r"^(?P<who>[a-z]*) ?(?:\[(?P<status>[a-z]+)(?:: (?P<why>.+))?\])?> (?P<text>.+)$"
)
_SATURDAY = 5


@dataclass
class Line:
    """One message; `who` is "" for the patient."""

    who: str
    body: str
    status: MessageStatus | None = None
    failure: str = ""


@dataclass
class Block:
    """Messages in one sitting: from a time some working days ago, or until minutes ago."""

    days_ago: int
    starts: time | None
    lines: list[Line] = field(default_factory=list)
    minutes_ago: int = 0

    def times(self, now: datetime, zone: ZoneInfo) -> list[datetime]:
        """The times of the lines, always in order and before `now`."""
        pauses = [_pause(number, line.body) for number, line in enumerate(self.lines)]
        pauses[0] = timedelta()
        if self.starts is None:
            moment = now - timedelta(minutes=self.minutes_ago) - sum(pauses, timedelta())
        else:
            day = _working_day(now.astimezone(zone).date(), self.days_ago)
            moment = datetime.combine(day, self.starts, zone).astimezone(UTC)
        times = []
        for pause in pauses:
            moment += pause
            times.append(moment)
        return times


@dataclass
class Script:
    """One patient's conversation."""

    patient: str
    phone: str
    status: Status = Status.OPEN
    assignee: str = ""
    unread_by: tuple[str, ...] = ()
    blocks: list[Block] = field(default_factory=list)


def load_scripts(slug: str) -> list[Script]:
    """The conversations of the demo clinic with this slug."""
    return parse_scripts((files(__package__) / f"{slug}.txt").read_text(encoding="utf-8"))


def parse_scripts(text: str) -> list[Script]:
    """The conversations in `text`, in its order.

    Raises:
        ValueError: a line does not have the form that this module describes.
    """
    scripts: list[Script] = []
    for line in filter(None, text.splitlines()):
        if line.startswith("# "):
            name, _, phone = line[2:].rpartition(", ")
            scripts.append(Script(name, phone))
        elif line.startswith("@ "):
            scripts[-1].blocks.append(_block(line[2:]))
        elif line.startswith("|"):
            scripts[-1].blocks[-1].lines[-1].body += "\n" + line[2:]
        elif said := _SAID.match(line):
            status = MessageStatus(said["status"]) if said["status"] else None
            spoken = Line(said["who"], said["text"], status, said["why"] or "")
            scripts[-1].blocks[-1].lines.append(spoken)
        else:
            _set(scripts[-1], line)
    return scripts


def _block(when: str) -> Block:
    if when.startswith("-"):
        return Block(0, None, minutes_ago=int(when[1:]))
    days, _, starts = when.partition(" ")
    return Block(int(days), time.fromisoformat(starts))


def _set(script: Script, line: str) -> None:
    key, _, value = line.partition(": ")
    if key == "status":
        script.status = Status(value)
    elif key == "assignee":
        script.assignee = value
    elif key == "unread":
        script.unread_by = tuple(value.split(", "))
    else:
        raise ValueError(f"not a line of a demo conversation: {line}")


def _working_day(today: date, days_ago: int) -> date:
    day = today
    while days_ago:
        day -= timedelta(days=1)
        if day.weekday() < _SATURDAY:
            days_ago -= 1
    return day


def _pause(number: int, body: str) -> timedelta:
    """The time to read and type a message: uneven, but the same at every run."""
    return timedelta(seconds=25 + len(body) % 90 + number * 37 % 60)
