"""How large and how strong defects are: the fixed default ranges, and what multiplies them for detection curves.

Lengths are px of the raw scan (0.0155 mm) on a housing of 690 px; a length grows with the square root of the housing's
width, so that a defect's share of the surface does not depend on the width. Depths are shares of the light that a
relief takes or adds at its strongest. Fixed on 2026-11-21, before the first training on them; over 400 defects they
cover 0.047 % of the surface in the median (0.020 to 0.089 % from the 10th to the 90th of 100).

Severities under the threshold of seeing are rendered for detection curves only (`CURVES`), never for training. They
come in three designs: size varied at the usual contrast, contrast varied at the usual size, and both. A curve against
size alone needs the first (among defects of any contrast a large one is missed, too), one against contrast the second.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sim.surfaces.classes import SurfaceClass
from station.core.errors import ConfigError

Range = tuple[float, float]

DEFAULT_RANGES: dict[SurfaceClass, dict[str, Range]] = {
    SurfaceClass.IMPRINTED: {"long_px": (34, 62), "short_px": (22, 38), "depth": (0.5, 1.0)},
    SurfaceClass.PITS: {"count": (3, 8), "spread_px": (18, 42), "diameter_px": (10, 20), "depth": (0.45, 0.8)},
    SurfaceClass.ROLL_MARKS: {
        "count": (2, 3),
        "pitch_px": (30, 60),
        "bar_px": (28, 54),
        "thick_px": (5, 7.5),
        "depth": (0.32, 0.5),
        "prints": (1, 3),
        "roll_circumference_px": (600, 1500),
    },
    SurfaceClass.SCRATCHES: {"count": (1, 3), "length_px": (85, 205), "thick_px": (2.5, 4), "depth": (0.4, 0.8)},
}
"""From and to, both taken evenly; counts are whole numbers. No other place sets a defect's size or strength."""


@dataclass(frozen=True, slots=True)
class Severity:
    """What every length and every depth of a defect is multiplied with; 1 and 1 is the default.

    Attributes:
        size: Of lengths.
        contrast: Of the light that the relief takes or adds.
    """

    size: float = 1.0
    contrast: float = 1.0


DEFAULT = Severity()
USUAL: Range = (1.0, 1.0)
_FIXED = re.compile(r"(\d*\.?\d+)x(\d*\.?\d+)")
_SMALLEST, _LARGEST = 0.05, 3.0


@dataclass(frozen=True, slots=True)
class Design:
    """From where to where the severities of some housings reach, evenly in their logarithms.

    Attributes:
        size: From and to of `Severity.size`.
        contrast: From and to of `Severity.contrast`.
    """

    size: Range = USUAL
    contrast: Range = USUAL

    def draw(self, rng: np.random.Generator) -> Severity:
        """One severity; takes two values from the source of chance whatever the design is."""
        size, contrast = (np.exp(rng.uniform(*np.log(limits))) for limits in (self.size, self.contrast))
        return Severity(round(float(size), 4), round(float(contrast), 4))


_SMALL: dict[SurfaceClass, float] = {
    SurfaceClass.IMPRINTED: 0.08,
    SurfaceClass.PITS: 0.1,
    SurfaceClass.ROLL_MARKS: 0.12,
    SurfaceClass.SCRATCHES: 0.12,
}
_FAINT, _PLAIN = 0.12, 1.3


def _curve_designs(small: float) -> tuple[Design, ...]:
    sizes, contrasts = (small, _PLAIN), (_FAINT, _PLAIN)
    by_size, by_contrast, by_both = Design(size=sizes), Design(contrast=contrasts), Design(sizes, contrasts)
    return (by_size, by_contrast, by_size, by_contrast, by_both)


CURVES = {surface: _curve_designs(small) for surface, small in _SMALL.items()}
"""Designs for detection curves: from what can hardly be seen, no less than about a pixel of a dent or a pit, to a
little over the default. Of 150 housings of a class 60 vary in size and 60 in contrast, as many as MIL-HDBK-1823A asks
of a curve of hits and misses; a model of both is fitted to all, so that 30 that vary in both are enough for it."""


_HARD_SIZES: dict[SurfaceClass, Range] = {
    SurfaceClass.IMPRINTED: (0.11, 0.2),
    SurfaceClass.PITS: (0.13, 0.35),
    SurfaceClass.ROLL_MARKS: (0.41, 0.8),
    SurfaceClass.SCRATCHES: (0.27, 0.55),
}
_HARD_CONTRASTS: dict[SurfaceClass, Range] = {
    SurfaceClass.IMPRINTED: (0.4, 0.6),
    SurfaceClass.PITS: (0.4, 0.47),
    SurfaceClass.ROLL_MARKS: (0.34, 0.42),
    SurfaceClass.SCRATCHES: (0.34, 0.48),
}


def _hard_designs(sizes: Range, contrasts: Range) -> tuple[Design, ...]:
    near = Design((sizes[1] ** 0.5, 1.0), (contrasts[1] ** 0.5, 1.0))
    return (Design(size=sizes), Design(contrast=contrasts), near)


HARD = {surface: _hard_designs(sizes, _HARD_CONTRASTS[surface]) for surface, sizes in _HARD_SIZES.items()}
"""Severities of the hard set, fixed on 2026-11-30, before the first training on them.

Of three housings one has defects as small as inception-cnn-3 finds half to nine tenths of (at usual contrast), one as
faint (at usual size), and one a little of both. Source: its a50 and a90 on 300
housings of `curves`, seed 118, and 600, seed 108."""


@dataclass(frozen=True, slots=True)
class SeverityPlan:
    """Where a recording's severities come from.

    Attributes:
        designs: By class, dealt in turn to the housings of that class; at least one. A class that is not there has the
            default severity.
    """

    designs: Mapping[SurfaceClass, tuple[Design, ...]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "SeverityPlan":
        """The plan that a command line names: `default`, `curves`, `hard`, or SIZExCONTRAST as `0.5x0.7`.

        Raises:
            ConfigError: It is none of these, or a multiplier is outside 0.05 to 3.
        """
        if text == "default":
            return cls()
        if text == "curves":
            return cls(CURVES)
        if text == "hard":
            return cls(HARD)
        found = _FIXED.fullmatch(text)
        if found and all(_SMALLEST <= float(part) <= _LARGEST for part in found.groups()):
            size, contrast = map(float, found.groups())
            return cls(dict.fromkeys(SurfaceClass, (Design((size, size), (contrast, contrast)),)))
        raise ConfigError(
            "config.bad_option",
            f"severity {text!r}: default, curves, hard, or SIZExCONTRAST of {_SMALLEST} to {_LARGEST:g}",
        )

    def draw(self, rng: np.random.Generator, surface: SurfaceClass, turn: int) -> Severity:
        """The severity of the housing that is number `turn` of its class, from 0."""
        designs = self.designs.get(surface, (Design(),))
        return designs[turn % len(designs)].draw(rng)
