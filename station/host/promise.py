"""What is promised of each part type's network, whether it holds, and what a person should know of it."""

from collections.abc import Mapping
from pathlib import Path

from models.chapters import with_chapter
from models.manifest import CARD, Bundle
from models.novelty.file import read_calibrations
from models.promise.words import chapter
from models.release.card import card_text
from models.screening.demands import measured_by
from station.core.drift.course import Drift
from station.core.errors import RecordError
from station.core.promise import Standing, Suspension
from station.core.settings import Settings
from station.host.recipes import bundle_names, find_bundles
from station.host.records import read_records


def standings(settings: Settings, folder: Path | None = None) -> dict[str, Standing]:
    """Where the promise of each part type stands, by its name; blocking.

    Args:
        settings: The part types, and which network each has.
        folder: The station's data folder; None for the configured one.

    Raises:
        ModelError: A bundle cannot be used.
        RecordError: The records cannot be read.
    """
    bundles, drifts = find_bundles(settings, folder), _drifts(settings, folder)
    named = bundle_names(settings).items()
    return {
        kind: Standing(
            kind, bundles[name].manifest.promises.get(kind), _suspension(kind, bundles[name], drifts.get(kind))
        )
        for kind, name in named
    }


def card_of(bundle: Bundle, settings: Settings, folder: Path | None = None) -> str:
    """A bundle's card, on which a promise that does not hold any more at this station says so; blocking.

    Raises:
        ModelError: The bundle cannot be used.
        RecordError: The records cannot be read.
    """
    card = bundle.read(CARD).decode() if CARD in bundle.manifest.files else card_text(bundle.manifest)
    found = {kind: _suspension(kind, bundle, drift) for kind, drift in _drifts(settings, folder).items()}
    suspensions = {kind: suspension for kind, suspension in found.items() if suspension is not None}
    return with_chapter(card, chapter(bundle.manifest, suspensions)) if suspensions else card


def promise_doubts(bundles: Mapping[str, Bundle], settings: Settings) -> list[str]:
    """Where a promise was proven in another arithmetic than the station's.

    Args:
        bundles: What the station runs, by how the configuration names it.
        settings: The part types, which network each has, and `[model]`.
    """
    named = [(kind, bundles[name]) for kind, name in bundle_names(settings).items() if name in bundles]
    found = {kind: (bundle.manifest.promises.get(kind), measured_by(bundle, settings.model)) for kind, bundle in named}
    return [
        f"{promise.model}, {kind}: what is promised was measured by {promise.measured_by}, the station runs {runs}; "
        "`station model promise` proves it anew"
        for kind, (promise, runs) in found.items()
        if promise is not None and promise.measured_by != runs
    ]


def _drifts(settings: Settings, folder: Path | None) -> Mapping[str, Drift]:
    """What the parts of each type have come to; nothing where no station has run yet."""
    try:
        return read_records(settings, folder).drifts()
    except RecordError as error:
        if error.code == "record.unknown":
            return {}
        raise


def _suspension(part_type: str, bundle: Bundle, drift: Drift | None) -> Suspension | None:
    """Why a bundle's promise does not hold; what was found with another calibration than its own says nothing of it."""
    calibration = read_calibrations(bundle).get(part_type)
    if drift is None or drift.calibration != (calibration.sha256 if calibration is not None else None):
        return None
    return drift.suspended
