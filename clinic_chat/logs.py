"""Logging: JSON lines in a container, colours in a terminal, and never a patient's data."""

import logging
import sys
import traceback
from time import monotonic
from types import TracebackType
from typing import TextIO
from uuid import UUID

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_SHOWN_FRAMES = 8
# Loggers whose messages quote no data: the application's, the server's and the migrations'.
_TRUSTED = ("clinic_chat", "audit", "uvicorn", "alembic")
# Uvicorn's records about single connections do quote: URLs with a tab's token, malformed input.
_CONNECTIONS = "/uvicorn/protocols/"
_REPEAT_SECONDS = 10.0
_MAX_PLACES = 500
_audit = structlog.get_logger("audit")


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's records to `stream`, by default standard error.

    Standard output is left to commands that print a result. An unknown level means INFO.
    """
    output = stream or sys.stderr
    threshold = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        exception_without_values,
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer()
        if output.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(LibraryMessages())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    # Alembic logs its set-up at every start; `storage/migrations/env.py` logs each migration.
    logging.getLogger("alembic").setLevel(max(threshold, logging.WARNING))


class LibraryMessages(logging.Filter):
    """Reduces a library's records to their place and exception type, and limits how many there are.

    Libraries quote their input: Reflex a whole event with the text typed, asyncio the arguments of
    a task. Their debug and information records are dropped; each place is logged at most once in
    ten seconds, with the number of times.
    """

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged; a library's record is changed in place."""
        if record.name.split(".")[0] in _TRUSTED and _CONNECTIONS not in record.pathname:
            return True
        if record.levelno < logging.WARNING:
            return False
        place = (record.pathname, record.lineno)
        next_at, missed = self._places.get(place, (0.0, 0))
        now = monotonic()
        if now < next_at:
            self._places[place] = (next_at, missed + 1)
            return False
        if len(self._places) >= _MAX_PLACES:
            self._places.clear()
        self._places[place] = (now + _REPEAT_SECONDS, 0)
        file = "/".join(record.pathname.split("/")[-2:])
        record.msg = f"library record at {file}:{record.lineno}, {missed + 1} times"
        record.args = ()
        record.stack_info = None
        return True


def audit(event: str, **ids: UUID | str | int | None) -> None:
    """Record an action in the audit log, by ids only: never names, phone numbers or texts."""
    _audit.info(event, **{name: str(value) for name, value in ids.items() if value is not None})


def exception_without_values(
    _logger: WrappedLogger, _method: str, event_dict: EventDict
) -> EventDict:
    """Replace a logged exception by its types and places.

    The text of an exception is left out because it often quotes data: a database error, for
    one, holds the statement's parameters.
    """
    error = event_dict.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event_dict["exception"] = " from ".join(_types(error))
        event_dict["at"] = places(error.__traceback__)
    return event_dict


def places(trace: TracebackType | None) -> list[str]:
    """The inner frames of a traceback, innermost last, as `file:line function`."""
    frames = traceback.extract_tb(trace)[-_SHOWN_FRAMES:]
    return [
        f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno} {frame.name}"
        for frame in frames
    ]


def _types(error: BaseException | None) -> list[str]:
    names: list[str] = []
    while error is not None and len(names) < _SHOWN_FRAMES:
        names.append(type(error).__name__)
        error = error.__cause__ or error.__context__
    return names
