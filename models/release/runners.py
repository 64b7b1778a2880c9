"""Opens each artefact of a bundle on its engine, to measure it as the station would run it."""

from models.engines import make_engine
from models.evaluation.scorers import BundleScorer, Scorer
from models.manifest import CLASSES, Artefact, Bundle, Engine, Precision
from station.core.settings import ModelSettings

VARIANTS: dict[tuple[Engine, Precision], Artefact] = {
    ("openvino", "f32"): "openvino",
    ("openvino", "bf16"): "openvino",
    ("openvino", "int8"): "openvino-int8",
    ("onnxruntime", "f32"): "onnx",
}
"""Which artefact runs on which engine in which arithmetic; torch's own is the reference of all."""


def variants_of(bundle: Bundle) -> list[tuple[Engine, Precision]]:
    """In which ways a bundle can be run without torch."""
    return [variant for variant, artefact in VARIANTS.items() if artefact in bundle.manifest.artefacts]


def open_variant(bundle: Bundle, engine: Engine, precision: Precision) -> Scorer:
    """A bundle on an engine.

    Raises:
        ModelError: It has no artefact for it, or the engine cannot run it.
    """
    settings = ModelSettings(bundle=bundle.manifest.name, engine=engine, precision=precision)
    return BundleScorer(make_engine(bundle, settings, None), CLASSES)
