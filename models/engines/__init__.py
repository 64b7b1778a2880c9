"""The engines that run a bundle's network, behind the one port `PatchClassifier`; the configuration chooses.

    model.engine   model.precision   artefact of the bundle   package
    openvino       int8              openvino-int8            openvino
    openvino       bf16, f32         openvino                 openvino
    onnxruntime    f32               onnx                     onnxruntime
    torch          f32               torch                    torch, from the extra `train`

Only the package of the chosen engine is imported. OpenVINO in INT8 is what the shipped configurations choose: on two
cores with AVX-512 VNNI the two patches of a strip take 0.47 of the time of bf16 and 0.22 of that of f32.
"""

from pathlib import Path

from models.engines.engine import Engine, check_probabilities
from models.manifest import Artefact, Bundle
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

__all__ = ["ARTEFACT_OF", "Engine", "check_probabilities", "choices", "make_engine"]


def choices(bundle: Bundle) -> tuple[tuple[EngineName, Precision], ...]:
    """The engines and precisions that a bundle has an artefact for; whether they can run here is another matter."""
    return tuple(choice for choice, artefact in ARTEFACT_OF.items() if artefact in bundle.manifest.artefacts)


def make_engine(bundle: Bundle, settings: ModelSettings, cache_dir: Path | None = None) -> Engine:
    """The bundle's network on the engine that the settings choose; blocking, and not yet warm.

    Args:
        bundle: What to run; which bundle the settings name does not matter.
        settings: Engine, precision, threads and pinning.
        cache_dir: Where OpenVINO keeps compiled networks, to start faster; None keeps none.

    Raises:
        ModelError: `model.engine_unavailable` where the choice cannot run: the engine has no such precision or is not
            installed, the bundle has no artefact for it, or the processor lacks the arithmetic; `model.wrong_hash` and
            `model.missing` for the artefact's files; `model.engine_failed` where the engine cannot load them.
    """
    _require_artefact(bundle, settings)
    try:
        return _load(bundle, settings, cache_dir)
    except ImportError as error:
        remedy = f"in the project's folder, {REMEDY_OF[settings.engine]}; or choose another model.engine"
        raise ModelError(
            "model.engine_unavailable", f"{settings.engine} cannot be imported ({error}): {remedy}"
        ) from error


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


def _load(bundle: Bundle, settings: ModelSettings, cache_dir: Path | None) -> Engine:
    match settings.engine:
        case "openvino":
            from models.engines.openvino import OpenVinoEngine

            return OpenVinoEngine(bundle, settings, cache_dir)
        case "onnxruntime":
            from models.engines.onnxruntime import OnnxRuntimeEngine

            return OnnxRuntimeEngine(bundle, settings)
        case "torch":
            from models.engines.torch_engine import TorchEngine

            return TorchEngine(bundle, settings)
