"""The engines that run a bundle's network, behind the one port `PatchClassifier`; the configuration chooses.

    model.engine   model.precision   artefact of the bundle   package
    openvino       int8              openvino-int8            openvino
    openvino       bf16, f32         openvino                 openvino
    onnxruntime    f32               onnx                     onnxruntime
    torch          f32               torch                    torch, from the extra `train`

Where a bundle has a screener, the same engine runs both of its networks, in the same arithmetic (`screening`).

Only the package of the chosen engine is imported. OpenVINO in INT8 is what the shipped configurations choose: on two
cores with AVX-512 VNNI the two patches of a strip take 0.47 of the time of bf16 and 0.22 of that of f32.
"""

from pathlib import Path

from models.engines.classifier import BundleClassifier
from models.engines.engine import Engine, check_probabilities
from models.engines.network import BundleNetwork, own_network, screener_network
from models.engines.screening import Screening
from models.manifest import Artefact, Bundle, Manifest
from models.screening.demands import proven_threshold
from models.screening.file import read_space
from models.version import INSTALL_RUN, INSTALL_TRAIN
from station.core.choices import EngineName, Precision
from station.core.errors import ModelError
from station.core.settings import ModelSettings

ARTEFACT_OF: dict[tuple[EngineName, Precision], Artefact] = {
    ("openvino", "int8"): "openvino-int8",
    ("openvino", "bf16"): "openvino",
    ("openvino", "f32"): "openvino",
    ("onnxruntime", "f32"): "onnx",
    ("torch", "f32"): "torch",
}
"""What there is to choose from, and what of the bundle each choice reads."""

REMEDY_OF = {"openvino": INSTALL_RUN, "onnxruntime": INSTALL_RUN, "torch": INSTALL_TRAIN}
"""How an engine is installed."""

__all__ = [
    "ARTEFACT_OF",
    "BundleClassifier",
    "Engine",
    "check_probabilities",
    "choices",
    "make_engine",
    "make_pair",
    "served",
]


def choices(bundle: Bundle) -> tuple[tuple[EngineName, Precision], ...]:
    """The engines and precisions that a bundle has an artefact for; whether they can run here is another matter."""
    return served(bundle.manifest)


def served(manifest: Manifest) -> tuple[tuple[EngineName, Precision], ...]:
    """The engines and precisions for which a manifest names an artefact."""
    return tuple(choice for choice, artefact in ARTEFACT_OF.items() if artefact in manifest.artefacts)


def make_engine(bundle: Bundle, settings: ModelSettings, cache_dir: Path | None = None) -> BundleClassifier:
    """The bundle's networks on the engine that the settings choose; blocking, and not yet warm.

    Its screener, where it has one, is asked first, unless `model.screener` is off.

    Args:
        bundle: What to run; which bundle the settings name does not matter.
        settings: Engine, precision, threads and pinning.
        cache_dir: Where OpenVINO keeps compiled networks, to start faster; None keeps none.

    Raises:
        ModelError: `model.engine_unavailable` where the choice cannot run: the engine has no such precision or is not
            installed, the bundle has no artefact for it, or the processor lacks the arithmetic; `model.wrong_hash` and
            `model.missing` for the artefact's files; `model.engine_failed` where the engine cannot load them;
            `model.screener_unproven` where nobody has proven what the screener may pass by this engine.
    """
    screener = bundle.manifest.screener
    if screener is None or not settings.screener:
        _require_artefact(bundle, settings)
        return BundleClassifier(bundle, _load(own_network(bundle), settings, cache_dir))
    return make_pair(bundle, settings, proven_threshold(bundle, settings), cache_dir)


def make_pair(
    bundle: Bundle, settings: ModelSettings, threshold: float, cache_dir: Path | None = None
) -> BundleClassifier:
    """A bundle with a screener that passes from a threshold on, proven or not: for who proves it.

    Raises:
        ModelError: As `make_engine`; or the bundle has no screener.
    """
    _require_artefact(bundle, settings)
    whole, screener = own_network(bundle), screener_network(bundle)
    by_one = settings.engine == "openvino" and whole.ports.taken[0] > 1
    screening = Screening(
        screener=_load(screener, settings, cache_dir),
        alone=_load(whole.by_one(), settings, cache_dir) if by_one else None,
        passing=bundle.manifest.classes.index(bundle.manifest.passing),
        threshold=threshold,
        space=read_space(bundle),
    )
    return BundleClassifier(bundle, _load(whole, settings, cache_dir), screening)


def _require_artefact(bundle: Bundle, settings: ModelSettings) -> None:
    artefact = ARTEFACT_OF.get((settings.engine, settings.precision))
    if artefact is None:
        known = ", ".join(precision for engine, precision in ARTEFACT_OF if engine == settings.engine)
        raise ModelError(
            "model.engine_unavailable",
            f"{settings.engine} does not compute in {settings.precision}; set model.precision to one of: {known}",
        )
    if artefact not in bundle.manifest.artefacts:
        offered = ", ".join(f"{engine} {precision}" for engine, precision in choices(bundle))
        without = bundle.manifest.without_int8
        why = f": {without}" if without and settings.precision == "int8" else ""
        raise ModelError(
            "model.engine_unavailable",
            f"{bundle.identity.name} has nothing for {settings.engine} in {settings.precision} (artefact {artefact})"
            f"{why}; set model.engine and model.precision to one of: {offered}; or export the bundle again",
        )


def _load(network: BundleNetwork, settings: ModelSettings, cache_dir: Path | None) -> Engine:
    try:
        return _imported(network, settings, cache_dir)
    except ImportError as error:
        remedy = f"in the project's folder, {REMEDY_OF[settings.engine]}; or choose another model.engine"
        raise ModelError(
            "model.engine_unavailable", f"{settings.engine} cannot be imported ({error}): {remedy}"
        ) from error


def _imported(network: BundleNetwork, settings: ModelSettings, cache_dir: Path | None) -> Engine:
    match settings.engine:
        case "openvino":
            from models.engines.openvino import OpenVinoEngine

            return OpenVinoEngine(network, settings, cache_dir)
        case "onnxruntime":
            from models.engines.onnxruntime import OnnxRuntimeEngine

            return OnnxRuntimeEngine(network, settings)
        case "torch":
            from models.engines.torch_engine import TorchEngine

            return TorchEngine(network, settings)
