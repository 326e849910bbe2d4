"""What was sent in a run and when each receiver had it."""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from time import time
from typing import Any

from tests.load.measurements.figures import spread

# Long enough for an ordinary answer of staff.
_BODY = "#{number} Podemos remarcar para quinta às 15h40, com a mesma profissional, se preferir."
_NUMBER = re.compile(r"#(\d+) ")
# No two messages of a command share a number, so late ones are never taken for others.
_numbers = itertools.count(1)


@dataclass
class Message:
    """One message; times are seconds by this machine's clock."""

    sent_at: float
    stored_at: float = 0.0
    """The server's time in the payload, taken in the transaction just before its commit."""
    answered_at: float = 0.0
    received: list[float] = field(default_factory=list)

    def restart(self) -> None:
        """It is only sent now, after what came before it."""
        self.sent_at = time()


class Deliveries:
    """The messages of one run, found again by a number in their text."""

    def __init__(self) -> None:
        self.messages: dict[int, Message] = {}

    def new(self, at: float) -> tuple[Message, str]:
        """A message that is about to be sent, and its text."""
        number = next(_numbers)
        message = self.messages[number] = Message(at)
        return message, _BODY.format(number=number)

    def find(self, text: str) -> Message | None:
        """The message with this text, None when it is not one of this run."""
        found = _NUMBER.match(text)
        return self.messages.get(int(found[1])) if found else None

    def missing(self, receivers: int) -> int:
        """How many receipts are still to come."""
        return sum(max(0, receivers - len(m.received)) for m in self.messages.values())

    def summary(self, receivers: int) -> dict[str, Any]:
        """Latencies over all receivers, and how many receipts are missing or too many.

        `receivers` is how many were to get each message.
        """
        every = list(self.messages.values())
        return {
            "messages": len(every),
            "missed": self.missing(receivers),
            "doubled": sum(max(0, len(m.received) - receivers) for m in every),
            "send_to_receipt": _latencies(every, lambda m: m.sent_at),
            "commit_to_receipt": _latencies(
                [m for m in every if m.stored_at], lambda m: m.stored_at
            ),
            "send_to_answer": spread(m.answered_at - m.sent_at for m in every if m.answered_at),
        }


def _latencies(messages: list[Message], since: Callable[[Message], float]) -> dict[str, float]:
    return spread(at - since(message) for message in messages for at in message.received)
