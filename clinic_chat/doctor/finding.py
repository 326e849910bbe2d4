"""What an examination finds, in words for the person who keeps the server running."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

SHOWN = 5


class Verdict(StrEnum):
    """How it is."""

    OK = "ok"
    WRONG = "WRONG"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """What was looked at, and how it is."""

    subject: str
    verdict: Verdict
    text: str


def judged(subject: str, problems: Sequence[str], fine: str) -> Finding:
    """That all is fine when there are no problems, or the first of them and how many."""
    if not problems:
        return Finding(subject, Verdict.OK, fine)
    more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
    return Finding(subject, Verdict.WRONG, "; ".join(problems[:SHOWN]) + more)


def unknown(subject: str, why: str) -> Finding:
    """That something could not be looked at."""
    return Finding(subject, Verdict.UNKNOWN, why)


def exit_code(findings: Sequence[Finding]) -> int:
    """0 when all is fine, 1 when something is wrong, 2 when something could not be looked at."""
    verdicts = {finding.verdict for finding in findings}
    if Verdict.WRONG in verdicts:
        return 1
    return 2 if Verdict.UNKNOWN in verdicts else 0
