"""Kinds of parts that no class names and no training sees: what the station must not pass, whatever its network says.

They are drawn to be judged alone: in the truth their label is `unknown`, and masks mark them with 255.
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import numpy as np

from sim.surfaces.canvas import Canvas
from sim.surfaces.contaminants import lay_droplets, lay_label, lay_rust, lay_thread
from sim.surfaces.foreign import lay_burred_dent, lay_pictures, lay_wrong_material
from station.core.errors import ConfigError


class Unknown(StrEnum):
    """A kind; the value is its name on the command line and in the truth."""

    RUST_FILM = "rust-film"
    THREAD = "thread"
    BURRED_DENT = "burred-dent"
    DROPLETS = "droplets"
    LABEL = "label"
    WRONG_MATERIAL = "wrong-material"
    PICTURE = "picture"

    @property
    def number(self) -> int:
        """Seeds the housings of this kind, beside the numbers of classes."""
        return 100 + list(Unknown).index(self)


DRAWN: dict[Unknown, Callable[[np.random.Generator, Canvas], None]] = {
    Unknown.RUST_FILM: lay_rust,
    Unknown.THREAD: lay_thread,
    Unknown.BURRED_DENT: lay_burred_dent,
    Unknown.DROPLETS: lay_droplets,
    Unknown.LABEL: lay_label,
    Unknown.WRONG_MATERIAL: lay_wrong_material,
}
"""How each kind is drawn that needs no pictures."""


def lay_unknown(rng: np.random.Generator, canvas: Canvas, kind: Unknown, pictures: Path | None = None) -> None:
    """Make a part of this kind of the surface.

    Args:
        rng: Source of chance.
        canvas: The surface; what the part has is marked with 255.
        kind: What it is made to be.
        pictures: For `PICTURE`, the folder with pictures of other metal.

    Raises:
        RecordingError: The folder has no picture that can be used.
        ConfigError: `PICTURE` without a folder.
    """
    if kind is not Unknown.PICTURE:
        DRAWN[kind](rng, canvas)
    else:
        lay_pictures(rng, canvas, folder_of(pictures))


def folder_of(pictures: Path | None) -> Path:
    """The folder with the pictures of other metal.

    Raises:
        ConfigError: None was given.
    """
    if pictures is None:
        told = "--unknown picture needs --ground DIR, a folder of pictures of other metal (in STATION_DATA: neu_cls)"
        raise ConfigError("config.bad_option", told)
    return pictures


def parse_kinds(text: str, pictures: Path | None) -> tuple[Unknown, ...]:
    """Kinds from `rust-film,thread`, dealt to the housings in turn; `drawn` are all that need no pictures.

    Raises:
        ConfigError: There is no such kind, or pictures are needed.
    """
    names = list(DRAWN) if text == "drawn" else [name.strip() for name in text.split(",")]
    if strange := [name for name in names if name not in set(Unknown)]:
        known = ", ".join(Unknown)
        raise ConfigError("config.bad_option", f"unknown kind {', '.join(map(repr, strange))}: drawn, or of {known}")
    kinds = tuple(Unknown(name) for name in names)
    if Unknown.PICTURE in kinds:
        folder_of(pictures)
    return kinds
