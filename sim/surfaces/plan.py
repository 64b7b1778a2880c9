"""What a recording is to hold: how many housings of each class, their widths, severities and seeds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import numpy as np

from sim.surfaces.classes import SurfaceClass
from sim.surfaces.grounds import check_ground
from sim.surfaces.places import Place
from sim.surfaces.render import USUAL_SETTING, WIDTHS_PX, Setting, World
from sim.surfaces.severity import DEFAULT, Severity, SeverityPlan
from sim.surfaces.unknown import Unknown, parse_kinds
from station.core.errors import ConfigError

PAPER_MIX = (40, 17, 36, 19, 18)
"""Defect-free, imprinted, pits, roll marks, scratches. Source: Mustafaev et al., the 130 images of the test set."""
SEVERAL = (0.08, 0.02)
"""Shares of the defective housings that carry two and three defects; they are of one class unless asked otherwise."""


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """A housing that is to be rendered.

    Attributes:
        part_id: Its name, and its files'.
        seed: Of everything on it.
        width_px: Its columns.
        defects: Classes of the defects on it.
        severity: Of every defect.
        setting: Lamp, harmless marks, world and ground.
        place: Where every defect is to lie.
        unknown: What kind of part it is where it is none of the classes.
    """

    part_id: str
    seed: int
    width_px: int
    defects: tuple[SurfaceClass, ...] = ()
    severity: Severity = DEFAULT
    setting: Setting = USUAL_SETTING
    place: Place = Place.ANYWHERE
    unknown: Unknown | None = None


@dataclass(frozen=True, slots=True)
class RenderPlan:
    """What a recording of rendered housings is made of.

    Attributes:
        parts: How many.
        seed: Recordings of different seeds share no housing.
        mix: Weights of the five classes; the housings are shared out exactly, the rest to the largest remainders.
        severity: Of the defects; every defect on a housing has the same.
        mixed: Share of the housings with several defects whose defects are of different classes.
        setting: Lamp, harmless marks, world and ground.
        place: Where every defect is to lie; in a place that is asked for each housing has one at most.
        unknown: Kinds of parts of none of the classes, dealt in turn; none for housings with the classes of the mix.
    """

    parts: int
    seed: int
    mix: tuple[int, ...] = PAPER_MIX
    severity: SeverityPlan = SeverityPlan()  # noqa: RUF009, frozen
    mixed: float = 0.0
    setting: Setting = USUAL_SETTING
    place: Place = Place.ANYWHERE
    unknown: tuple[Unknown, ...] = ()

    def planned(self) -> list[PlannedPart]:
        """Every housing, in the order of rendering; the same plan gives the same housings.

        Each housing's own seed is `seed * 1_000_000` plus its number.
        """
        rng = np.random.default_rng([self.seed, self.parts])
        shuffled = np.repeat(np.arange(len(SurfaceClass)), share_out(self.parts, self.mix))
        rng.shuffle(shuffled)
        surfaces, turns = [SurfaceClass(int(surface)) for surface in shuffled], [count() for _ in SurfaceClass]
        return [self._part(rng, number, surface, next(turns[surface])) for number, surface in enumerate(surfaces)]

    def _part(self, rng: np.random.Generator, number: int, surface: SurfaceClass, turn: int) -> PlannedPart:
        """The housing that is `number` of all and `turn` of its class, both from 0."""
        width_px = WIDTHS_PX[int(rng.integers(len(WIDTHS_PX)))]
        severity, defects = self.severity.draw(rng, surface, turn), self._defects(rng, surface)
        part_id, seed = f"SMH-{self.seed}-{number:05}", self.seed * 1_000_000 + number
        planned = PlannedPart(part_id, seed, width_px, defects, severity, self.setting, self.place)
        if not self.unknown:
            return planned
        return replace(planned, defects=(), unknown=self.unknown[number % len(self.unknown)])

    def _defects(self, rng: np.random.Generator, surface: SurfaceClass) -> tuple[SurfaceClass, ...]:
        several, different = rng.random(2)
        others = rng.integers(1, len(SurfaceClass), 2)
        if surface is SurfaceClass.DEFECT_FREE:
            return ()
        if self.place is not Place.ANYWHERE:
            return (surface,)
        further = int(several < sum(SEVERAL)) + int(several < SEVERAL[1])
        if different < self.mixed:
            return (surface, *(SurfaceClass(int(other)) for other in others[:further]))
        return (surface,) * (1 + further)


def share_out(parts: int, weights: Sequence[int]) -> list[int]:
    """Parts a class by weight, as whole numbers that add up; what is left goes to the largest remainders."""
    exact = np.array(weights) * parts / sum(weights)
    counts = np.floor(exact).astype(int)
    for index in np.argsort(counts - exact, kind="stable")[: parts - int(counts.sum())]:
        counts[index] += 1
    return [int(count) for count in counts]


def parse_mix(text: str) -> tuple[int, ...]:
    """Weights of the five classes from `40/17/36/19/18`, in the order of `SurfaceClass`.

    Raises:
        ConfigError: They are not five whole numbers from 0, or all 0.
    """
    weights = tuple(int(part) if part.strip().isdecimal() else -1 for part in text.split("/"))
    if len(weights) != len(SurfaceClass) or min(weights) < 0 or not any(weights):
        named = "/".join(surface.label for surface in SurfaceClass)
        raise ConfigError("config.bad_option", f"mix {text!r}: five whole numbers, {named}")
    return weights


def parse_place(text: str) -> Place:
    """Where defects are to lie, by the name of the place.

    Raises:
        ConfigError: There is no such place.
    """
    if text not in set(Place):
        told = "; ".join(f"{place} ({place.meaning})" for place in Place)
        raise ConfigError("config.bad_option", f"place {text!r}: one of {told}")
    return Place(text)


def parse_unknown(text: str | None, place: Place, ground: Path | None) -> tuple[Unknown, ...]:
    """The kinds of parts that a command line asks for; none without a word.

    Raises:
        ConfigError: There is no such kind, pictures are needed, or a place is asked for, too.
    """
    if text is None:
        return ()
    if place is not Place.ANYWHERE:
        raise ConfigError("config.bad_option", "--place says where defects lie; a part of --unknown has none")
    return parse_kinds(text, ground)


def parse_setting(world: str, ground: Path | None, lamp_age: float | None, marks_factor: float) -> Setting:
    """What a command line asks for beside the defects.

    Args:
        world: Name of a world.
        ground: Folder of pictures of real metal, or None.
        lamp_age: 0 new to 1 worn out; None for any of everyday use.
        marks_factor: So many times as many harmless marks as usual.

    Raises:
        ConfigError: There is no such world.
        RecordingError: The ground's folder has no picture that can be used.
    """
    if world not in set(World):
        raise ConfigError("config.bad_option", f"world {world!r}: {' or '.join(World)}")
    if ground is not None:
        check_ground(ground)
    return Setting(lamp_age, marks_factor, World(world), ground)
