"""Step 3 b, light: the strips of a part that is lit otherwise than its network knows are brought to the light it knows.

    first strip ─▶ level of the part, and of each eighth along its axis ─▶ gain ─▶ every strip of it, times the gain

The first strip alone says by how much, so that every strip can be judged when it is there. The level is the median grey
value: a defect covers a small share of a part. A lamp that is much weaker at one end is made up for by a gain along the
axis. What is white is lost, and no gain brings it back: such parts are refused before (`part.saturated`). A gain beyond
its limits would show the network more noise than surface.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from station.core.errors import PartError
from station.core.light import AS_SEEN, Gain, Light, Lighting, along, multiplied
from station.core.part import Pixels, Strip

STRETCHES = 8
"""Along the axis, each with a level of its own."""
ROW_STRIDE = 32
"""So many rows of a strip from one that is looked at to the next: 4096 pixels of a housing's are looked at."""
EVEN_SHARE = 0.5
"""Of the brightest stretch's level that the darkest one has at least under a usual lamp."""
LEAST_LIT = 0.5
"""Of the reference that the darkest stretch must be brought to."""
DIMMEST = 0.4
"""Share of the usual light below which darkness is told no better: the background has some grey of its own."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How bright a strip is.

    Attributes:
        level: Its median grey value, 0.5 to 255, between whole ones by the share of the pixels.
        levels: The same of each stretch along the axis, left to right.
    """

    level: float
    levels: tuple[float, ...]

    @property
    def is_even(self) -> bool:
        """Whether the lamp is as even as lamps usually are."""
        return min(self.levels) >= EVEN_SHARE * max(self.levels)


def look(patches: Pixels) -> Seen:
    """How bright the patches (patches, height, width) uint8 of a strip are."""
    counts = _counts(patches)
    return Seen(_median(counts.sum(axis=0)), tuple(map(_median, counts)))


def light_of(seen: Seen, lighting: Lighting) -> Light:
    """How a part is lit whose first strip is so bright, and what is to be made of it."""
    reference = lighting.reference
    if reference is None:
        return Light(seen.level, 1.0)
    if seen.is_even:
        times = 1 + lighting.tolerance
        usual = reference / times <= seen.level <= reference * times
        return Light(seen.level, 1.0 if usual else round(reference / seen.level, 4))
    least, most = lighting.min_gain, lighting.max_gain
    gains = tuple(round(min(max(reference / level, least), most), 4) for level in seen.levels)
    return Light(seen.level, round(reference / seen.level, 4), gains)


def require_lit(seen: Seen, lighting: Lighting) -> None:
    """Refuse a part that no gain within its limits brings to the light that the network knows.

    Raises:
        PartError: `scan.wrong_light`.
    """
    reference = lighting.reference
    if reference is None:
        return
    gain, dark = light_of(seen, lighting).gain, min(seen.levels)
    known = f"the network knows {reference:.0f}"
    if not lighting.min_gain <= gain <= lighting.max_gain:
        allowed = f"allowed are {lighting.min_gain:g} to {lighting.max_gain:g}"
        told = f"the part has grey {seen.level:.0f}, {known}: needed is a gain of {gain:.2f}, {allowed}"
        raise PartError("scan.wrong_light", told)
    if not seen.is_even and dark * lighting.max_gain < LEAST_LIT * reference:
        told = f"the darkest eighth of the part has grey {dark:.0f}, {known}: the lamp is weak there"
        raise PartError("scan.wrong_light", told)


class Relighting:
    """Brings the strips of one part, in order, to the light that its network knows.

    Args:
        lighting: What light it is to be judged in.
    """

    def __init__(self, lighting: Lighting = AS_SEEN) -> None:
        self._lighting = lighting
        self._seen: Seen | None = None
        self._light: Light | None = None
        self._gain: Gain = 1.0

    @property
    def light(self) -> Light | None:
        """How the part is lit, once its first strip was seen."""
        return self._light

    @property
    def share(self) -> float:
        """Of the light that the network knows, that the part has in its darkest stretch; at most 1."""
        light = self._light or Light(0, 1.0)
        return max(DIMMEST, 1 / max(1.0, light.gain, *light.gains))

    def apply(self, strip: Strip) -> Strip:
        """The strip, its patches in place in the light that the network knows.

        Raises:
            PartError: `scan.wrong_light`: no gain within its limits does that; so for every strip of the part.
        """
        if self._seen is None:
            self._seen = look(strip.patches)
            self._light = light_of(self._seen, self._lighting)
            self._gain = gain_of(self._light, strip.patches.shape)
        require_lit(self._seen, self._lighting)
        relight(strip.patches, self._gain)
        return strip


def gain_of(light: Light, shape: tuple[int, ...]) -> Gain:
    """The gain for patches of a shape (patches, height, width): one factor, or (patches * height, width) float32."""
    if not light.gains:
        return light.gain
    patches, height, width = shape
    columns = along(light.gains, patches * width).reshape(patches, 1, width)
    return np.repeat(columns, height, axis=1).reshape(patches * height, width)


def relight(patches: Pixels, gain: Gain) -> None:
    """Multiply patches (patches, height, width) uint8, contiguous, in place; a gain of 1 leaves them alone."""
    if not isinstance(gain, float) or gain != 1.0:
        pixels = patches.reshape(-1, patches.shape[2])
        multiplied(pixels, gain, out=pixels)


def _counts(patches: Pixels) -> NDArray[np.intp]:
    """(stretches, 256): how often each grey value comes in each stretch along the axis."""
    count, _height, width = patches.shape
    stretches = min(STRETCHES, count * width)
    stretch = np.arange(count * width) * stretches // (count * width)
    places = patches[:, ::ROW_STRIDE] + 256 * stretch.reshape(count, 1, width)
    return np.bincount(places.ravel(), minlength=256 * stretches).reshape(stretches, 256)


def _median(counts: NDArray[np.intp]) -> float:
    """The grey value below which half of the counted pixels lie, between whole ones by their share; from 0.5 up."""
    up_to = counts.cumsum()
    half = up_to[-1] / 2
    grey = int(np.searchsorted(up_to, half))
    within = (half - (up_to[grey] - counts[grey])) / counts[grey]
    return float(round(max(0.5, grey - 0.5 + within), 2))
