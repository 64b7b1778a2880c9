"""Whole parts as they come, judged in every way that there is: full network, pair with the screener, other bundles.

Six parts say little of a pair of networks: what it costs depends on how many patches show something. So housings of the
usual mix, most of them with a defect in a patch or two, are judged one after the other, each in all ways; which way
comes first changes from part to part. What the ways decide is compared, too.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from models.engines import make_engine
from models.manifest import Bundle, load_bundle
from models.weights import bundle_folder
from sim.optics import Optics, in_lines
from sim.surfaces.plan import RenderPlan
from sim.surfaces.render import render_part
from station.bench.housings import SEED, part_types
from station.bench.plan import BenchPlan
from station.bench.timing import median
from station.bench.works import judging
from station.core.errors import ModelError
from station.core.part import Decision, PartType, Pixels
from station.core.ports.network import PatchClassifier
from station.core.settings import ModelSettings
from station.core.wakefulness import cores_awake
from station.host.bundles import find_bundle

FULL, HYBRID = "full", "hybrid"
PARTS_A_SECOND = 130 / 60
"""Of `seconds`: with the usual minute the 130 parts of the paper's test."""
LEAST = 4


@dataclass
class _Taken:
    """What one way came to so far: seconds by whether the part is good, verdicts, and patches screened."""

    good_s: list[float] = field(default_factory=list)
    defective_s: list[float] = field(default_factory=list)
    verdicts: list[tuple[str, bool]] = field(default_factory=list)
    screened: int = 0
    patches: int = 0

    def add(self, decision: Decision, seconds: float, *, is_good: bool) -> None:
        (self.good_s if is_good else self.defective_s).append(seconds)
        self.verdicts.append((decision.verdict.name, decision.verdict.passes))
        self.screened += len(decision.screened or ())
        self.patches += len(decision.probabilities)


def mix(plan: BenchPlan) -> dict[str, Any]:
    """Images a second of each way, over all parts and over those with a defect, and what it decides otherwise.

    `screened` is the share of the patches that a screener judged alone; `passed_alone` counts parts that a way passes
    and the full network does not, `otherwise` those that it decides otherwise in any other way.

    Raises:
        ModelError: A network cannot be used.
    """
    bundle = find_bundle(plan.settings)
    ways = _ways(plan, bundle)
    parts = max(LEAST, round(plan.seconds * PARTS_A_SECOND))
    plan.say(f"  rendering {parts} housings, each judged by {', '.join(ways)}")
    taken = {name: _Taken() for name in ways}
    with cores_awake(wanted=plan.settings.model.keep_awake):
        for number, (kind, scan, is_good) in enumerate(_housings(plan, parts)):
            works = {name: judging(kind, scan, plan.settings, network) for name, network in ways.items()}
            for name in list(works)[:: -1 if number % 2 else 1]:
                if number == 0:
                    works[name]()
                decision, seconds = _timed(works[name])
                taken[name].add(decision, seconds, is_good=is_good)
    return {"parts": parts, **{name: _figures(one, taken[FULL]) for name, one in taken.items()}}


def _ways(plan: BenchPlan, bundle: Bundle) -> dict[str, PatchClassifier]:
    model = plan.settings.model
    ways: dict[str, PatchClassifier] = {FULL: make_engine(bundle, _without_screener(model))}
    if bundle.manifest.screener is not None:
        try:
            ways[HYBRID] = make_engine(bundle, model.model_copy(update={"screener": True}))
        except ModelError as error:
            if error.code != "model.screener_unproven":
                raise
            plan.say(f"  the screener left out: {error.detail}")
    for folder in plan.beside:
        other = load_bundle(bundle_folder(folder))
        ways[other.identity.name] = make_engine(other, _without_screener(model))
    for network in ways.values():
        network.warm_up()
    return ways


def _without_screener(model: ModelSettings) -> ModelSettings:
    return model.model_copy(update={"screener": False})


def _housings(plan: BenchPlan, parts: int) -> Iterator[tuple[PartType, Pixels, bool]]:
    """Housings of the usual mix and of the configured widths in turn, as the sensor sees them, and which are good."""
    settings = plan.settings
    kinds, optics = part_types(settings), Optics(settings.camera.width_px, 2 * settings.crop.margin_px, SEED)
    for number, planned in enumerate(RenderPlan(parts, SEED).planned()):
        kind = kinds[number % len(kinds)]
        rendered = render_part(planned.seed, kind.width_px, planned.defects)
        scan = optics.seat(in_lines(rendered.image, kind.geometry.lines_per_turn), number)
        yield kind, scan, not planned.defects


def _timed(work: Callable[[], Decision]) -> tuple[Decision, float]:
    begun_s = perf_counter()
    decision = work()
    return decision, perf_counter() - begun_s


def _figures(taken: _Taken, full: _Taken) -> Mapping[str, Any]:
    pairs = list(zip(taken.verdicts, full.verdicts, strict=True))
    alone = sum(way[1] and not own[1] for way, own in pairs)
    every = [*taken.good_s, *taken.defective_s]
    return {
        "images_per_s": round(1 / median(every), 2),
        "images_per_s_in_all": round(len(every) / sum(every), 2),
        "images_per_s_defective": round(1 / median(taken.defective_s), 2) if taken.defective_s else None,
        "screened": round(taken.screened / max(1, taken.patches), 4),
        "passed_alone": alone,
        "otherwise": sum(way != own for way, own in pairs) - alone,
        "verdicts": dict(Counter(name for name, _passes in taken.verdicts)),
    }
