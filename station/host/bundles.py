"""Which network judges: the configured bundle, the shelf of promoted ones, and the engine that runs it."""

from collections.abc import Mapping
from pathlib import Path

import structlog

from models.engines import make_engine
from models.manifest import Bundle
from models.meaning import check_classes
from models.release.shelf import PROMOTED, Shelf, chosen_bundle
from models.release.thresholds import GENERAL, threshold_mismatch
from station.core.ports.network import PatchClassifier
from station.core.settings import Settings, data_dir
from station.flow.pixels.library import library

log = structlog.get_logger()

MODELS = "models"
"""Folder of promoted bundles, in the data folder."""


def find_shelf(settings: Settings, folder: Path | None = None) -> Shelf:
    """Where promoted bundles lie, and the history of who promoted them.

    Args:
        settings: `model.models_dir` names the folder; without it, it lies in the data folder.
        folder: The station's data folder; None for the configured one.
    """
    configured = settings.model.models_dir
    return Shelf(Path(configured).expanduser() if configured else data_dir(settings, folder) / MODELS)


def find_bundle(settings: Settings, folder: Path | None = None) -> Bundle:
    """The configured bundle, every file checked against its hash.

    Args:
        settings: `model.bundle` names it, and the table must have its classes.
        folder: The station's data folder; None for the configured one.

    Raises:
        ModelError: Missing, damaged, unusable, not the one that was promoted, or its classes are not the configured.
    """
    bundle = chosen_bundle(settings.model.bundle, find_shelf(settings, folder))
    check_classes(bundle.manifest, settings.table)
    return bundle


def threshold_mismatches(bundles: Mapping[str, Bundle], settings: Settings, folder: Path | None = None) -> list[str]:
    """What a person should know where a bundle was measured with another least confidence than is configured.

    Args:
        bundles: What the station runs, by how the configuration names it.
        settings: What each part type's network is and the least confidence it is believed with.
        folder: The station's data folder; None for the configured one.

    Raises:
        ModelError: The history of promotions cannot be used.
    """
    shelf = find_shelf(settings, folder)
    used = {(settings.effective_type(name).bundle, *_least(settings, name)) for name in settings.part_types}
    doubts = [threshold_mismatch(bundles[bundle], shelf, least, key) for bundle, least, key in sorted(used)]
    return [doubt for doubt in doubts if doubt]


def _least(settings: Settings, part_type: str) -> tuple[float, str]:
    """The least confidence of a part type, and the key that says it."""
    general = settings.part_types[part_type].min_confidence is None
    key = GENERAL if general else f"part_types.{part_type}.min_confidence"
    return settings.effective_type(part_type).min_confidence, key


def history_doubt(settings: Settings, folder: Path | None = None) -> str | None:
    """What a person should know of the history of promotions, where the network of a part type goes by it.

    Args:
        settings: Which networks go by the history of promotions.
        folder: The station's data folder; None for the configured one.

    Raises:
        ModelError: The history of promotions cannot be used.
    """
    named = {settings.effective_type(name).bundle for name in settings.part_types}
    return find_shelf(settings, folder).doubt() if PROMOTED in named else None


def make_classifier(settings: Settings) -> PatchClassifier:
    """The network of `model.bundle` alone, on the configured engine: for who measures it; a cell has recipes.

    Args:
        settings: `[model]` alone is asked.

    Raises:
        ConfigError: The compiled passes over pixels, without which nothing reaches the network, are missing.
        ModelError: As for `find_bundle`, or the engine cannot run it here.
    """
    library()
    return make_engine(find_bundle(settings), settings.model)
