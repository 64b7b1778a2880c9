"""Logging: structlog events on standard error and, when a folder is given, as JSON lines in a file.

Events are named in the past tense (`part_sorted`, `state_changed`); values are keys, never part of the sentence.
"""

import logging
import logging.handlers
import os
import sys
from contextlib import suppress
from pathlib import Path

import structlog

from station.core.place import displaced

LOG_FILE_BYTES = 20_000_000
LOG_FILES_KEPT = 10


def configure_logs(level: str, folder: Path | None, console: logging.Handler | None = None) -> None:
    """Set up logging for this process; call it once, before the first event.

    Args:
        level: Lowest level that standard error shows: `debug`, `info`, `warning` or `error`; the file has all from
            info up.
        folder: Where `station.jsonl` is written and rotated (ten files of 20 MB), or None for no file.
        console: A handler in place of standard error, for a live view that owns the terminal.
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
    people = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    terminal = console or logging.StreamHandler(sys.stderr)
    terminal.setLevel(level.upper())
    terminal.setFormatter(_formatter(people, shared))
    root = logging.getLogger()
    root.handlers = [terminal]
    root.setLevel(logging.DEBUG if level == "debug" else logging.INFO)
    if folder is not None:
        root.addHandler(_file_handler(folder, shared))
    for noisy in ("harvesters", "pymodbus", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL if noisy != "asyncio" else logging.WARNING)


class LogFile(logging.handlers.RotatingFileHandler):
    """A rotated file of lines; one that was deleted, moved or replaced is begun anew with the next line.

    While the folder above it is gone, which is not made anew for it, the old file goes on.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        with suppress(OSError):
            self._find_file()
        if self.stream is not None:
            super().emit(record)

    def _find_file(self) -> None:
        path = Path(self.baseFilename)
        if self.stream is not None and displaced(path, os.fstat(self.stream.fileno())) is None:
            return
        path.parent.mkdir(exist_ok=True)
        begun = self._open()
        if self.stream is not None:
            self.stream.close()
        self.stream = begun


def _file_handler(folder: Path, shared: list[structlog.typing.Processor]) -> logging.Handler:
    folder.mkdir(parents=True, exist_ok=True)
    handler = LogFile(
        folder / "station.jsonl", maxBytes=LOG_FILE_BYTES, backupCount=LOG_FILES_KEPT - 1, encoding="utf-8"
    )
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
