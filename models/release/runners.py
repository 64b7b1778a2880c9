"""Opens a bundle on each engine that it has an artefact for, to measure it as the station would run it."""

from models.engines import choices, make_engine
from models.evaluation.measuring.scorers import BundleScorer, Scorer
from models.manifest import Bundle
from station.core.choices import EngineName, Precision
from station.core.errors import ModelError
from station.core.settings import ModelSettings

Variants = dict[tuple[EngineName, Precision], Scorer]


def open_variants(bundle: Bundle) -> Variants:
    """A bundle in every way in which it can be run here without torch, which is the yardstick of all.

    Raises:
        ModelError: An engine that is there cannot run the bundle.
    """
    opened: Variants = {}
    for engine, precision in choices(bundle):
        if engine == "torch":
            continue
        try:
            opened[engine, precision] = open_variant(bundle, engine, precision)
        except ModelError as error:
            if error.code != "model.engine_unavailable":  # this processor, or this installation, has not got it
                raise
    return opened


def open_variant(bundle: Bundle, engine: EngineName, precision: Precision) -> Scorer:
    """A bundle on an engine, with all cores.

    Raises:
        ModelError: It has no artefact for it, or the engine cannot run it.
    """
    settings = ModelSettings(bundle=bundle.manifest.name, engine=engine, precision=precision)
    return BundleScorer(make_engine(bundle, settings))
