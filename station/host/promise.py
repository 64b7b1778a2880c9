"""What is promised of each part type's network, and what a person should know of it."""

from collections.abc import Mapping
from pathlib import Path

from models.manifest import Bundle
from station.core.promise import said_of
from station.core.settings import Settings
from station.host.recipes import bundle_names, find_bundles


def sentences(settings: Settings, folder: Path | None = None) -> dict[str, str]:
    """The sentence of each part type, by its name.

    Args:
        settings: The part types, and which network each has.
        folder: The station's data folder; None for the configured one.

    Raises:
        ModelError: A bundle cannot be used.
    """
    bundles = find_bundles(settings, folder)
    named = bundle_names(settings).items()
    return {kind: said_of(bundles[name].manifest.promises.get(kind), kind) for kind, name in named}


def promise_doubts(bundles: Mapping[str, Bundle], settings: Settings) -> list[str]:
    """Where a promise was proven in another arithmetic than the station's.

    Args:
        bundles: What the station runs, by how the configuration names it.
        settings: The part types, which network each has, and `[model]`.
    """
    runs = f"{settings.model.engine} {settings.model.precision}"
    named = bundle_names(settings).items()
    found = {kind: bundles[name].manifest.promises.get(kind) for kind, name in named if name in bundles}
    return [
        f"{promise.model}, {kind}: what is promised was measured by {promise.measured_by}, the station runs {runs}; "
        "`station model promise` proves it anew"
        for kind, promise in found.items()
        if promise is not None and promise.measured_by != runs
    ]
