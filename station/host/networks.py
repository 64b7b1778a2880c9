"""The networks that judge, loaded where they will run, and what is told of them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import structlog

from models.engines import make_engine
from models.manifest import Bundle
from station.cell.compute import ComputeThread
from station.core.part import ModelIdentity
from station.core.ports.network import PatchClassifier
from station.core.ports.records import PartLedger
from station.core.recipe import Recipes
from station.core.room import MB, require_room
from station.core.settings import Settings
from station.host.bundles import history_doubt, threshold_mismatches
from station.host.novelty import novelty_doubts
from station.host.promise import promise_doubts
from station.host.recipes import classes_not_answered, find_bundles, lightless, recipes_of

log = structlog.get_logger()

MODEL_CACHE = "model-cache"
"""Folder of compiled networks, in the data folder."""
CACHE_BYTES = 100 * MB
"""What compiled networks may come to."""


async def load_recipes(settings: Settings, folder: Path, compute: ComputeThread) -> Recipes:
    """The recipes of all part types with their networks, told in the log with all that is doubtful about them.

    Args:
        settings: The configuration.
        folder: The data folder.
        compute: Where the networks will run.

    Raises:
        StationError: A bundle cannot be used, its engine cannot run it here, or it did not load in time.
    """
    bundles = find_bundles(settings, folder)
    recipes = recipes_of(settings, await _load(bundles, settings, folder, compute))
    for classifier in recipes.classifiers:
        _tell(classifier)
    for told in classes_not_answered(bundles.values(), settings):
        log.warning("classes_not_answered", detail=told)
    for doubt in novelty_doubts(bundles, settings):
        log.warning("unknown_parts_not_told", detail=doubt)
    for doubt in promise_doubts(bundles, settings):
        log.warning("promise_measured_otherwise", detail=doubt)
    for doubt in threshold_mismatches(bundles, settings, folder):
        log.warning("least_confidence_differed", detail=doubt)
    if unlit := lightless(settings, bundles):
        log.info("light_left_as_seen", detail=unlit)
    if unsealed := history_doubt(settings, folder):
        log.warning("history_not_sealed", detail=unsealed)
    return recipes


async def tell_change(ledger: PartLedger, models: Iterable[ModelIdentity]) -> None:
    """Say where another network judges from now on, whatever the reason: a promotion, a lost folder of models."""
    before, now = await ledger.last_model(), tuple(models)
    if before not in (None, *now):
        named = ", ".join(map(str, now))
        log.warning("network_changed", before=str(before), now=named)
        await ledger.note("network_changed", f"{before} judged the last part, {named} judges the next")


async def _load(
    bundles: Mapping[str, Bundle], settings: Settings, folder: Path, compute: ComputeThread
) -> dict[str, PatchClassifier]:
    """The networks, loaded on the compute thread, because an engine's own threads take over the priority of theirs.

    Raises:
        ModelError: The engine cannot run one here, or did not load it within the deadline of a job.
    """
    cache = _cache(folder, settings)
    return {name: await compute.submit(make_engine, bundle, settings.model, cache) for name, bundle in bundles.items()}


def _cache(folder: Path, settings: Settings) -> Path | None:
    """Where compiled networks are kept; None where they would take of the records' reserve."""
    cache = folder / MODEL_CACHE
    try:
        if not cache.exists():
            require_room(folder, CACHE_BYTES, settings.records.reserve_bytes)
    except OSError as error:
        log.warning("model_cache_unusable", folder=str(cache), detail=error.strerror)
        return None
    return cache


def _tell(classifier: PatchClassifier) -> None:
    model, engine = classifier.model, classifier.engine
    log.info(
        "model_loaded",
        model=model.name,
        sha256=model.sha256,
        engine=f"{engine.name} {engine.version}",
        precision=engine.precision,
        isa=engine.isa,
    )
