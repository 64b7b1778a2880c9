"""The exposure, part by part: set between two parts so that the light of each type stays what its network knows.

    part judged ─▶ its level by its exposure ─▶ median of the last parts ─▶ small step within the limits ─▶ next part

Off where the configuration gives no limits, or nobody knows what level is wanted.
"""

from collections import deque
from dataclasses import dataclass, field

import structlog

from station.cell.concluding import Setup
from station.core.exposure import PARTS, Exposed, next_exposure
from station.core.judgement import Judgement
from station.core.ports.records import PartLedger
from station.core.recipe import Recipe

log = structlog.get_logger()


@dataclass(slots=True)
class _Kept:
    """What is known of one part type: its exposure, the last parts' grey per microsecond, whether a limit was told."""

    exposure_us: float
    grey_per_us: deque[float] = field(default_factory=lambda: deque(maxlen=PARTS))
    at_limit: bool = False


class ExposureControl:
    """Keeps the exposure of every part type.

    Args:
        ledger: Where every step is noted.
    """

    def __init__(self, ledger: PartLedger) -> None:
        self._ledger = ledger
        self._kept: dict[str, _Kept] = {}

    def exposure_us(self, recipe: Recipe) -> float:
        """What the next part of a type is to be exposed with."""
        return self._of(recipe).exposure_us

    async def learn(self, setup: Setup, judgement: Judgement) -> None:
        """Take a judged part into account; what does not show its light on a whole scan says nothing.

        Raises:
            RecordError: A step cannot be noted.
        """
        recipe, light = setup.recipe, judgement.light
        limits, reference = recipe.exposure, recipe.lighting.reference
        if limits is None or reference is None or light is None or not judgement.account.valid:
            return
        kept = self._of(recipe)
        kept.grey_per_us.append(light.level / setup.scan.exposure_us)
        step = next_exposure(tuple(kept.grey_per_us), reference, kept.exposure_us, limits)
        await self._take(recipe.part_type.name, kept, step)

    async def _take(self, name: str, kept: _Kept, step: Exposed) -> None:
        """Remember a step, and tell of it; of a limit once, until it is left."""
        stuck = step.exposure_us == kept.exposure_us != step.wanted_us
        told = f"{name}: {step.exposure_us:g} us, wanted are {step.wanted_us:.1f}"
        if step.exposure_us != kept.exposure_us:
            log.info("exposure_changed", part_type=name, before_us=kept.exposure_us, exposure_us=step.exposure_us)
            await self._ledger.note("exposure_changed", f"{told}, before {kept.exposure_us:g}")
        if stuck and not kept.at_limit:
            log.warning("light_at_limit", part_type=name, exposure_us=step.exposure_us, wanted_us=step.wanted_us)
            await self._ledger.note("light_at_limit", told)
        kept.exposure_us, kept.at_limit = step.exposure_us, stuck

    def _of(self, recipe: Recipe) -> _Kept:
        kind = recipe.part_type
        return self._kept.setdefault(kind.name, _Kept(kind.exposure_us))
