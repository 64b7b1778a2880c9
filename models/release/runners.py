"""Opens a bundle on each engine that it has an artefact for, to measure it as the station would run it."""

from typing import Literal

from models.engines import choices, make_engine
from models.evaluation.measuring.scorers import BundleScorer, Scorer
from models.manifest import Bundle
from station.core.choices import EngineName, Precision
from station.core.errors import ModelError
from station.core.settings import ModelSettings

Asked = Literal["first", "never"]
"""When a screener is asked."""

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


def open_variant(bundle: Bundle, engine: EngineName, precision: Precision, screener: Asked = "never") -> Scorer:
    """A bundle on an engine, with all cores.

    Args:
        bundle: The bundle.
        engine: What runs it.
        precision: In which arithmetic.
        screener: Whether its screener, where it has one, is asked first.

    Raises:
        ModelError: It has no artefact for it, the engine cannot run it, or its screener is not proven for it.
    """
    asked = screener == "first"
    settings = ModelSettings(bundle=bundle.manifest.name, engine=engine, precision=precision, screener=asked)
    try:
        return BundleScorer(make_engine(bundle, settings))
    except ModelError as error:
        if error.code != "model.engine_failed":
            raise
        raise ModelError("model.engine_failed", f"{engine} in {precision}: {error.detail}") from error
