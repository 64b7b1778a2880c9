"""The recipes of a configuration: which networks are needed, loaded once each, and put together with each part type."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from models.engines import make_engine
from models.manifest import Bundle
from models.meaning import check_classes
from models.release.shelf import chosen_bundle
from models.screening.demands import require_proven_type
from station.core.errors import ModelError
from station.core.light import Lighting
from station.core.novelty.conformal import NoveltyRule
from station.core.ports.network import PatchClassifier
from station.core.recipe import DecisionRule, Recipe, Recipes
from station.core.rulings import Costing
from station.core.settings import Settings
from station.core.spot_check import SpotCheck
from station.flow.pixels.library import library
from station.host.bundles import find_shelf
from station.host.fit import require_geometry

SHARED = ("classes", "places", "review", "crop", "turn", "light", "decision", "novelty", "drift")
"""Tables of the configuration that belong to every recipe."""


def bundle_names(settings: Settings) -> dict[str, str]:
    """How each part type's bundle is named in the configuration, by part type."""
    return {name: settings.effective_type(name).bundle for name in settings.part_types}


def find_bundles(settings: Settings, folder: Path | None = None) -> dict[str, Bundle]:
    """Every bundle that a part type needs, by how the configuration names it, each file checked against its hash.

    Args:
        settings: Part types with their networks and geometries, and the table of classes.
        folder: The station's data folder; None for the configured one.

    Raises:
        ModelError: One is missing, damaged or unusable, not the one that was promoted, or answers with classes or for
            a geometry that its part type does not have; the part type is named.
    """
    shelf, found = find_shelf(settings, folder), {}
    for part_type, name in bundle_names(settings).items():
        try:
            if name not in found:
                found[name] = chosen_bundle(name, shelf)
            require_fit(found[name], settings, part_type)
        except ModelError as error:
            raise ModelError(error.code, f"part_types.{part_type}: {error.detail}") from error
    return found


def require_fit(bundle: Bundle, settings: Settings, part_type: str) -> None:
    """Refuse a bundle that cannot judge the parts of a type.

    Args:
        bundle: What the configuration names for the type.
        settings: The geometry of its parts, and the table of classes.
        part_type: Name of the type.

    Raises:
        ModelError: It answers with classes, or for a geometry, that the part type does not have; or it has a screener
            of which nothing is proven for this type.
    """
    check_classes(bundle.manifest, settings.table)
    require_geometry(settings.type_named(part_type).geometry, bundle.manifest.layout, bundle.manifest.name)
    require_proven_type(bundle, settings.model, part_type)


def classes_not_answered(bundles: Iterable[Bundle], settings: Settings) -> list[str]:
    """What a person should know where the configuration has classes that a bundle does not answer.

    Args:
        bundles: What the station runs.
        settings: The configuration; the table has all classes of each bundle.
    """
    told = (check_classes(bundle.manifest, settings.table) for bundle in bundles)
    return [one for one in told if one]


def make_recipes(settings: Settings, folder: Path | None = None) -> Recipes:
    """The recipes of all part types, with their networks loaded; blocking.

    Args:
        settings: Part types, and the engine that runs their networks.
        folder: The station's data folder; None for the configured one.

    Raises:
        ConfigError: The compiled passes over pixels, without which nothing reaches a network, are missing.
        ModelError: As for `find_bundles`, or an engine cannot run a network here.
    """
    library()
    bundles = find_bundles(settings, folder)
    loaded = {name: make_engine(bundle, settings.model) for name, bundle in bundles.items()}
    return recipes_of(settings, loaded)


def recipes_of(settings: Settings, loaded: Mapping[str, PatchClassifier]) -> Recipes:
    """The recipes of all part types.

    Args:
        settings: Part types, and the rules that their parts are judged by.
        loaded: The networks, by how the configuration names their bundles.
    """
    named = bundle_names(settings).items()
    return Recipes(tuple(_recipe(settings, name, loaded[bundle]) for name, bundle in named))


def lighting_of(settings: Settings, part_type: str, level: float | None) -> Lighting:
    """What light parts of a type are judged in.

    Args:
        settings: Where the part type stands.
        part_type: Name of the type.
        level: What its network's bundle says, for where the configuration says nothing.
    """
    said = settings.effective_type(part_type).light_reference
    return settings.light.lighting(level if said is None else said)


def lightless(settings: Settings, bundles: Mapping[str, Bundle]) -> str | None:
    """What a person should know where nobody says what light the parts of a type are to be judged in."""
    named = bundle_names(settings).items()
    levels = {name: bundles[bundle].light_level for name, bundle in named if bundle in bundles}
    kinds = [name for name, _bundle in named if lighting_of(settings, name, levels.get(name)).reference is None]
    if not kinds:
        return None
    return f"no light is made up for of {', '.join(kinds)}: neither light.reference nor the bundle says what it knows"


def only(settings: Settings, part_type: str) -> Settings:
    """The configuration with one part type."""
    return settings.model_copy(update={"part_types": {part_type: settings.part_types[part_type]}})


def describe_recipe(settings: Settings, part_type: str, folder: Path | None = None) -> dict[str, Any]:
    """A recipe as plain data: what is configured with all defaults, and the network's name and hash.

    Where the network cannot be used, `model`, `model_sha256` and `sha256` are None and `trouble` says why.

    Args:
        settings: Where the part type stands.
        part_type: Name of the part type.
        folder: The station's data folder; None for the configured one.
    """
    kind = settings.effective_type(part_type)
    told: dict[str, Any] = {"name": part_type} | kind.model_dump(mode="json")
    told |= {"geometry": str(settings.type_named(part_type).geometry)}
    try:
        (bundle,) = find_bundles(only(settings, part_type), folder).values()
    except ModelError as error:
        return told | {"model": None, "model_sha256": None, "sha256": None, "trouble": str(error)}
    model = bundle.identity
    sha256 = _sha256(settings, part_type, model.sha256)
    return told | {"model": model.name, "model_sha256": model.sha256, "sha256": sha256, "trouble": None}


def decision_rule(settings: Settings, part_type: str, classifier: PatchClassifier) -> DecisionRule:
    """How the answers of this network decide about parts of a type.

    Args:
        settings: Where the part type and the classes stand.
        part_type: Name of the type.
        classifier: The network; the table has all its classes.
    """
    kind = settings.effective_type(part_type)
    return DecisionRule(
        outputs=settings.table.outputs(classifier.classes),
        geometry=classifier.geometry,
        review=settings.table.review,
        rule=kind.rule,
        min_confidence=kind.min_confidence,
        deadline_ms=kind.deadline_ms,
        novelty=_novelty_rule(settings, part_type, classifier),
        promise=classifier.promises.get(part_type),
        costing=_costing(settings),
    )


def _costing(settings: Settings) -> Costing | None:
    prices = settings.decision.prices
    return None if prices is None else Costing(prices.value, prices.reviews)


def _novelty_rule(settings: Settings, part_type: str, classifier: PatchClassifier) -> NoveltyRule | None:
    if classifier.known is None:
        return None
    return NoveltyRule(settings.novelty.alpha, classifier.known.calibrations.get(part_type))


def _recipe(settings: Settings, name: str, classifier: PatchClassifier) -> Recipe:
    return Recipe(
        part_type=settings.type_named(name),
        classifier=classifier,
        rule=decision_rule(settings, name, classifier),
        archive=frozenset(settings.effective_type(name).archive),
        sha256=_sha256(settings, name, classifier.model.sha256),
        lighting=lighting_of(settings, name, classifier.light_level),
        exposure=settings.effective_type(name).exposure,
        spot_check=SpotCheck(settings.effective_type(name).spot_check, settings.decision.spot_check_seed),
    )


def _sha256(settings: Settings, name: str, model_sha256: str) -> str:
    """Hash of all that a part of this type is judged by."""
    kind, shared = settings.effective_type(name), settings.model_dump_json(include=set(SHARED))
    return hashlib.sha256(f"{name}\n{kind.model_dump_json()}\n{shared}\n{model_sha256}".encode()).hexdigest()
