"""A process of its own beside the station: one of its kind a data folder, ended by a signal or with its parent."""

import asyncio
import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from station.core.errors import PlantError
from station.core.locks import holders

OWNERS_ONLY = 0o600

Say = Callable[[str], None]


@contextmanager
def alone(folder: Path, name: str) -> Iterator[None]:
    """While in this context no other process of this kind serves the data folder.

    Args:
        folder: The data folder.
        name: The kind, for example `opcua`; a file `opcua.lock` in the folder is locked, and stays.

    Raises:
        PlantError: `plant.runs_already`.
        OSError: The file cannot be made.
    """
    path = folder / f"{name}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNERS_ONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            who = holders(path) or "another process"
            raise PlantError("plant.runs_already", f"{path} is locked by {who}") from error
        yield
    finally:
        os.close(descriptor)


@contextmanager
def ended_from_outside(parent: TextIO | None = None) -> Iterator[asyncio.Event]:
    """While in this context SIGINT, SIGTERM and the end of the parent set the event.

    Args:
        parent: What ends when the parent does, or None where there is none to wait for.
    """
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    if parent is not None:
        loop.add_reader(parent, ended.set)
    try:
        yield ended
    finally:
        if parent is not None:
            loop.remove_reader(parent)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
