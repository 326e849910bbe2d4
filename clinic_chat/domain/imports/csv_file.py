"""CSV reader for files of dialogues (RFC 4180, or as spreadsheets save them) with broken rows."""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path

from clinic_chat.domain.errors import InvalidInput

ID = "id"
SECTION = "section_header"
DIALOGUE = "dialogue"
# Spreadsheets write semicolons in languages with a decimal comma, such as Portuguese.
SEPARATORS = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_MARKS = (
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF16_LE, "UTF-16-LE"),
    (codecs.BOM_UTF16_BE, "UTF-16-BE"),
)
_BROKEN = re.compile("[\ud800-\udfff]")
# The library's own limit, 131,072 characters, would lose the row.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True)
class DialogueRow:
    """A row of the file; `line` is where it begins, counted from 1 with the header."""

    line: int
    id: str
    section: str
    dialogue: str


@dataclass(frozen=True)
class Problem:
    """A row that cannot be imported: the line in the file where it begins, and the reason."""

    line: int
    reason: str


def read_dialogue_file(path: Path) -> list[DialogueRow | Problem]:
    """The rows of the file in its order, with a `Problem` in place of each unreadable row.

    The columns `ID` and `dialogue` are required, `section_header` is optional, others are
    ignored. Fields are separated by commas, semicolons, tabs or bars, or by the character in a
    first line such as `sep=;`. Text is UTF-8, UTF-16 or Windows-1252.

    Raises:
        InvalidInput: `file_unreadable` or `columns_missing`.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"cannot read {path}: {error.strerror}", code="file_unreadable"
        ) from None
    text, encoding = _decoded(data)
    lines = list(StringIO(text, newline=""))
    named = _SEPARATOR_LINE.fullmatch(lines[0].strip()) if lines else None
    first = 1 if named else 0
    for separator in [named[1]] if named else SEPARATORS:
        records = _records(lines, first, separator)
        columns = _columns(next(records, (1, []))[1])
        if ID in columns and DIALOGUE in columns:
            return _rows(records, columns, encoding)
    raise InvalidInput(
        f"{path} has no header line with the columns ID and dialogue: it was read as {encoding}"
        f" and tried with {f'{named[1]!r}' if named else 'commas, semicolons, tabs and bars'}",
        code="columns_missing",
    )


def _decoded(data: bytes) -> tuple[str, str]:
    """The text, with a lone surrogate for each byte that cannot be read, and its encoding."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decode(data.removeprefix(mark), encoding), encoding
    for encoding in ("UTF-16-LE", "UTF-16-BE"):
        # In UTF-16 every other byte of ASCII is zero, and the header is ASCII.
        zeros = data[encoding == "UTF-16-LE" : 40 : 2]
        if len(zeros) > 1 and not any(zeros):
            return _decode(data, encoding), encoding
    text = _decode(data, "UTF-8")
    # One valid character beyond ASCII means UTF-8 with some broken bytes.
    if _BROKEN.search(text) and _BROKEN.sub("", text).isascii():
        return _decode(data, "Windows-1252"), "Windows-1252"
    return text, "UTF-8"


def _decode(data: bytes, encoding: str) -> str:
    # In UTF-16 a lone surrogate is two bytes, which cannot be escaped as one.
    errors = "replace" if encoding.startswith("UTF-16") else "surrogateescape"
    return data.decode(encoding, errors)


def _records(
    lines: list[str], start: int, separator: str
) -> Iterator[tuple[int, list[str] | csv.Error]]:
    while start < len(lines):
        begins = start
        reader = csv.reader(islice(lines, start, None), strict=True, delimiter=separator)
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


def _columns(header: list[str] | csv.Error) -> list[str]:
    return [] if isinstance(header, csv.Error) else [name.strip().lower() for name in header]


def _rows(
    records: Iterable[tuple[int, list[str] | csv.Error]], columns: list[str], encoding: str
) -> list[DialogueRow | Problem]:
    rows: list[DialogueRow | Problem] = []
    is_broken = False
    for line, record in records:
        whole = not isinstance(record, csv.Error) and len(record) == len(columns)
        # Lines that remain of a broken cell are not rows.
        if whole or not is_broken:
            rows.append(_row(line, record, columns, encoding))
        is_broken = isinstance(record, csv.Error) or (is_broken and not whole)
    return rows


def _row(
    line: int, record: list[str] | csv.Error, columns: list[str], encoding: str
) -> DialogueRow | Problem:
    if isinstance(record, csv.Error):
        return Problem(line, f"not CSV: {record}")
    if len(record) != len(columns):
        return Problem(line, f"{len(record)} fields instead of {len(columns)}")
    try:
        "".join(record).encode()
    except UnicodeEncodeError:
        return Problem(line, f"bytes that are not {encoding}")
    fields = dict(zip(columns, record, strict=True))
    return DialogueRow(line, fields[ID].strip(), fields.get(SECTION, "").strip(), fields[DIALOGUE])
