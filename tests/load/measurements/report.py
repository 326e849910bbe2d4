"""The figures of a run as a table and as JSON."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

# Label, where the figure is, and whether a ratio to the floors says something.
ROWS = (
    ("time to live, p50 ms", "time_to_live.p50_ms", True),
    ("time to live, p99 ms", "time_to_live.p99_ms", True),
    ("time to live, max ms", "time_to_live.max_ms", True),
    ("server CPU per arrival, ms", "time_to_live.cpu_ms", True),
    ("… core slower than at its best by", "time_to_live.slowdown", False),
    ("one alone live after, ms", "single.p50_ms", False),
    ("all at once: live, p50 ms", "at_once.p50_ms", False),
    ("all at once: all live after, ms", "at_once.all_live_ms", False),
    ("… the slowest time, ms", "slowest_at_once_ms", False),
    ("… server CPU per arrival, ms", "at_once.cpu_ms", False),
    ("… core slower than at its best by", "at_once.slowdown", False),
    ("could not join", "time_to_live.failed", False),
    ("memory per session, KB", "memory.per_session_kb", True),
    ("memory of all sessions, MB", "memory.extra_mb", True),
    ("memory after all left, last over first, %", "growth_percent", False),
    ("durable sends a second", "sends_per_second", False),
    ("bare transactions a second", "bare_per_second", False),
    ("share of the bare loop", "share_of_bare", False),
    ("idle CPU, % of a core", "idle_cpu_percent", True),
    ("… core slower than at its best by", "idle_slowdown", False),
    ("… at the core's best", "idle_cpu_percent_full_speed", True),
    ("messages", "messages", False),
    ("receivers", "receivers", False),
    ("bytes per receiver", "event_bytes", False),
    ("send to receipt, p50 ms", "send_to_receipt.p50_ms", True),
    ("send to receipt, p99 ms", "send_to_receipt.p99_ms", True),
    ("send to receipt, max ms", "send_to_receipt.max_ms", True),
    ("commit to receipt, p50 ms", "commit_to_receipt.p50_ms", False),
    ("commit to receipt, p99 ms", "commit_to_receipt.p99_ms", False),
    ("commit to receipt, max ms", "commit_to_receipt.max_ms", False),
    ("send to answer, p99 ms", "send_to_answer.p99_ms", False),
    ("server CPU per message, ms", "cpu_ms_per_message", True),
    ("… with idle CPU, ms", "cpu_ms_per_message_gross", True),
    ("server CPU, % of a core", "cpu_percent", True),
    ("… core slower than at its best by", "slowdown", False),
    ("… at the core's best", "cpu_percent_full_speed", True),
    ("generator CPU, % of a core", "generator_cpu_percent", False),
    ("missed", "missed", False),
    ("doubled", "doubled", False),
    ("dropped", "dropped", False),
)


def show(name: str, figures: dict[str, Any]) -> None:
    """Print the figures of one scenario, with the ratio of the product's to each floor's."""
    floors = {floor: found for floor, found in figures["floors"].items() if found}
    table = Table(title=name)
    table.add_column("")
    for column in ("product", *floors, *(f"ratio to {floor}" for floor in floors)):
        table.add_column(column, justify="right")
    for label, path, comparable in ROWS:
        ours = _at(figures["product"], path)
        theirs = [_at(floor, path) for floor in floors.values()]
        if ours is None and not any(theirs):
            continue
        ratios = [_ratio(ours, floor) if comparable else "" for floor in theirs]
        table.add_row(label, *(_text(value) for value in (ours, *theirs)), *ratios)
    console = Console()
    if not console.is_terminal:
        console.width = 160
    console.print(table)
    for note in ("faults", "events_per_message", "each_at_once", "after_leaving_mb"):
        if figures["product"].get(note):
            console.print(f"{note.replace('_', ' ')}: {figures['product'][note]}")


def as_json(options: dict[str, Any], scenarios: dict[str, Any]) -> str:
    """Everything that was measured, with the machine and the options."""
    return json.dumps(
        {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": _machine()}
        | {"options": options, "scenarios": scenarios},
        indent=2,
        default=str,
    )


def _machine() -> dict[str, Any]:
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cores": len(os.sched_getaffinity(os.getppid())),
        "processor": models[0] if models else platform.machine(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_average": os.getloadavg(),
    }


def _at(figures: dict[str, Any], path: str) -> Any:
    value: Any = figures
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"


def _ratio(ours: Any, theirs: Any) -> str:
    return f"{ours / theirs:.2f}" if ours is not None and theirs else "–"
