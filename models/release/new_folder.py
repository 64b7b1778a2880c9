"""A folder that a release makes: nothing may lie in its place, and what fails is told as the model's error."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from station.core.durable import make_folder, staged_folder
from station.core.errors import ModelError


@contextmanager
def new_folder(place: Path) -> Iterator[Path]:
    """A folder to fill, beside its place; moved to its place when it is full, removed when that fails.

    Args:
        place: Where it shall lie; nothing may be there.

    Raises:
        ModelError: `model.exists` when something is there, `config.file_failed` when the disk fails.
    """
    refuse_existing(place)
    try:
        make_folder(place.parent)
        with staged_folder(place) as staged:
            yield staged
    except FileExistsError:
        refuse_existing(place)
        raise
    except OSError as error:
        raise ModelError("config.file_failed", f"{place}: {error}; nothing was left there") from error


def refuse_existing(place: Path) -> None:
    """Make sure that nothing lies at a place.

    Raises:
        ModelError: `model.exists`.
    """
    if place.exists():
        raise ModelError("model.exists", f"{place} is there already")
