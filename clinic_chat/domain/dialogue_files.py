"""Reads CSV files of dialogues (RFC 4180, UTF-8), going on after a row that is broken."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clinic_chat.domain.errors import InvalidInput

ID = "id"
SECTION = "section_header"
DIALOGUE = "dialogue"


@dataclass(frozen=True)
class DialogueRow:
    """A row of the file; `line` is where it begins, counted from 1 with the header."""

    line: int
    id: str
    section: str
    dialogue: str


@dataclass(frozen=True)
class Problem:
    """A row that cannot be imported: where it begins in the file, and why."""

    line: int
    reason: str


def read_dialogue_file(path: Path) -> list[DialogueRow | Problem]:
    """The rows of the file in its order, with a problem in the place of each unreadable one.

    The columns `ID` and `dialogue` must be there, `section_header` is used when it is, others
    are not looked at.

    Raises:
        InvalidInput: `file_unreadable` or `columns_missing`.
    """
    try:
        # An undecodable byte becomes a lone surrogate, so that only its own row is lost.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            lines = list(file)
    except OSError as error:
        raise InvalidInput(
            f"cannot read {path}: {error.strerror}", code="file_unreadable"
        ) from None
    records = _records(lines)
    header = next(records, (1, []))[1]
    columns = [] if isinstance(header, csv.Error) else [name.strip().lower() for name in header]
    if ID not in columns or DIALOGUE not in columns:
        raise InvalidInput(
            f"{path} has no header line with the columns ID and dialogue", code="columns_missing"
        )
    return [_row(line, record, columns) for line, record in records]


def _records(lines: list[str]) -> Iterator[tuple[int, list[str] | csv.Error]]:
    start = 0
    while start < len(lines):
        begins = start
        reader = csv.reader((lines[at] for at in range(start, len(lines))), strict=True)
        try:
            for record in reader:
                if record:
                    yield begins + 1, record
                begins = start + reader.line_num
            return
        except csv.Error as error:
            yield begins + 1, error
            # A quote that is never closed must not swallow the rows below it.
            start = begins + 1


def _row(line: int, record: list[str] | csv.Error, columns: list[str]) -> DialogueRow | Problem:
    if isinstance(record, csv.Error):
        return Problem(line, f"not CSV: {record}")
    if len(record) != len(columns):
        return Problem(line, f"{len(record)} fields instead of {len(columns)}")
    try:
        "".join(record).encode()
    except UnicodeEncodeError:
        return Problem(line, "bytes that are not UTF-8")
    fields = dict(zip(columns, record, strict=True))
    return DialogueRow(line, fields[ID].strip(), fields.get(SECTION, "").strip(), fields[DIALOGUE])
