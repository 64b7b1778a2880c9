"""What a person should know of how a station tells parts unlike anything that its networks were trained on."""

from collections.abc import Iterator, Mapping

from models.manifest import Bundle
from models.novelty.file import read_calibrations
from models.screening.demands import measured_by
from station.core.novelty.conformal import Calibration, parts_for
from station.core.settings import Settings
from station.host.recipes import bundle_names


def novelty_doubts(bundles: Mapping[str, Bundle], settings: Settings) -> list[str]:
    """Where unknown parts are not told, or more good parts may go to review than is configured.

    Args:
        bundles: What the station runs, by how the configuration names it.
        settings: The part types, which network each has, and `[novelty]`.

    Raises:
        ModelError: What a bundle says of its training cannot be used.
    """
    doubts = [_of_station(settings)] if settings.novelty.alpha == 0 else []
    for name, bundle in bundles.items():
        kinds = [kind for kind, used in bundle_names(settings).items() if used == name]
        doubts += _of_bundle(bundle, kinds, settings)
    return doubts


def _of_station(settings: Settings) -> str:
    return f"novelty.alpha is {settings.novelty.alpha:g}: parts unlike all that was trained on are recorded, and pass"


def _of_bundle(bundle: Bundle, kinds: list[str], settings: Settings) -> Iterator[str]:
    name = bundle.identity.name
    if bundle.manifest.novelty is None:
        yield f"{name} cannot tell parts unlike all that it was trained on: they get one of its classes, or pass"
        return
    calibrations = read_calibrations(bundle)
    if unmeasured := [kind for kind in kinds if kind not in calibrations]:
        yield (
            f"{name} has no good parts of {', '.join(unmeasured)} to hold others against: unknown ones get one of its "
            "classes, or pass; `station model calibrate` mends that"
        )
    for kind in kinds:
        if kind in calibrations:
            runs = measured_by(bundle, settings.model)
            yield from _of_type(f"{name}, {kind}", calibrations[kind], settings.novelty.alpha, runs)


def _of_type(whose: str, calibration: Calibration, alpha: float, runs: str) -> Iterator[str]:
    parts = len(calibration.scores)
    if alpha and calibration.least > alpha:
        yield (
            f"{whose}: {parts} good parts promise that {calibration.least:.1%} of such parts go to review as unknown "
            f"at the most, and novelty.alpha is {alpha:.1%}; that takes {parts_for(alpha)}"
        )
    if calibration.measured_by != runs:
        yield f"{whose}: good parts were measured by {calibration.measured_by}, the station runs {runs}; calibrate anew"
