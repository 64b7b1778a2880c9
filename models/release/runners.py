"""Opens a bundle on each engine that it has an artefact for, to measure it as the station would run it."""

from models.engines import choices, make_engine
from models.evaluation.scorers import BundleScorer, Scorer
from models.manifest import CLASSES, Bundle, Engine, Precision
from station.core.settings import ModelSettings


def variants_of(bundle: Bundle) -> list[tuple[Engine, Precision]]:
    """In which ways a bundle can be run without torch, which is the yardstick of all."""
    return [(engine, precision) for engine, precision in choices(bundle) if engine != "torch"]


def open_variant(bundle: Bundle, engine: Engine, precision: Precision) -> Scorer:
    """A bundle on an engine, with all cores.

    Raises:
        ModelError: It has no artefact for it, or the engine cannot run it.
    """
    settings = ModelSettings(bundle=bundle.manifest.name, engine=engine, precision=precision)
    return BundleScorer(make_engine(bundle, settings), CLASSES)
