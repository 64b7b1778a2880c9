"""Logging: structlog events on standard error and, when a folder is given, as JSON lines in a file.

Events are named in the past tense (`part_sorted`, `state_changed`), and all names are in `station.core.log_events`;
values are keys, never part of the sentence.
A line is formatted by whoever logs it and written by another thread: a terminal, a pipe or a disk that is slow, full or
gone costs lines, never the time or the life of what logs.
"""

import logging
import sys
from pathlib import Path

import structlog

from station.core.background_writer import PATIENCE_S
from station.core.log_file import LogFile
from station.core.outlet import Outlet

LOG_FILE = "station.jsonl"
"""The newest file of the log."""
LOG_FILE_BYTES = 20_000_000
LOG_FILES_KEPT = 10


def configure_logs(level: str, folder: Path | None, console: logging.Handler | None = None, reserve: int = 0) -> None:
    """Set up logging for this process; call it once, before the first event.

    Args:
        level: Lowest level that standard error shows: `debug`, `info`, `warning` or `error`; the file has all from
            info up.
        folder: Where `station.jsonl` is written and rotated (ten files of 20 MB), or None for no file.
        console: A handler in place of standard error, for a live view that owns the terminal.
        reserve: Bytes of the disk that are not the file's.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        cache_logger_on_first_use=False,
    )
    errors = Outlet.of(sys.stderr, "standard error")
    people = structlog.dev.ConsoleRenderer(colors=errors.isatty())
    terminal = console or OutletHandler(errors)
    terminal.setLevel(level.upper())
    terminal.setFormatter(_formatter(people, shared))
    root = logging.getLogger()
    for handler in root.handlers:
        if isinstance(handler, OutletHandler):
            handler.close()
    root.handlers = [terminal]
    root.setLevel(logging.DEBUG if level == "debug" else logging.INFO)
    if folder is not None:
        root.addHandler(_file_handler(folder, shared, reserve))
    for noisy in ("harvesters", "pymodbus", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL if noisy != "asyncio" else logging.WARNING)


def settle_logs(patience_s: float) -> None:
    """Wait until the lines logged so far are written, but for no longer than nothing is taken for so long."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, OutletHandler):
            handler.settle(patience_s)


class OutletHandler(logging.Handler):
    """Hands log lines to an outlet; at the end of the process it waits for them, as long as they are taken.

    Args:
        outlet: Where they go.
    """

    def __init__(self, outlet: Outlet) -> None:
        super().__init__()
        self._outlet = outlet

    def emit(self, record: logging.LogRecord) -> None:
        """Format it, and have it written."""
        try:
            line = self.format(record)
        except Exception as error:  # noqa: BLE001  # a value that cannot be shown is no reason to fail
            line = f"log line not formatted: {type(error).__name__}: {error}"
        self._outlet.write(line + "\n")

    def settle(self, patience_s: float = PATIENCE_S) -> None:
        """Wait for what was logged so far."""
        self._outlet.settle(patience_s)

    def close(self) -> None:
        """Wait for what was logged, and log no more."""
        self._outlet.close()
        super().close()


def _file_handler(folder: Path, shared: list[structlog.typing.Processor], reserve: int) -> logging.Handler:
    file = LogFile(folder / LOG_FILE, LOG_FILE_BYTES, LOG_FILES_KEPT, reserve)
    handler = OutletHandler(Outlet("log file", file.take, whole=True, end=file.close))
    handler.setLevel(logging.INFO)
    handler.setFormatter(_formatter(structlog.processors.JSONRenderer(), shared))
    return handler


def _formatter(
    renderer: structlog.typing.Processor, shared: list[structlog.typing.Processor]
) -> structlog.stdlib.ProcessorFormatter:
    return structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            renderer,
        ],
        foreign_pre_chain=shared,
    )
