"""OpenVINO on the processor: INT8 (quantised by NNCF), bf16 or f32; the engine of the running station.

One strip is computed at a time by all threads together (performance hint LATENCY, one stream). Two requests of one
patch each, side by side on a core each, take the same time within the scatter of a measurement; so do other hints,
hyper-threading and the flushing of denormal numbers. What is left to choose is how an array gets in: copied into the
request's own tensor a call costs 36 µs beside the arithmetic, as a shared array 50 µs, as a plain argument 68 µs. So
the 128 KiB of a strip are copied once (7 µs), and patches need not be contiguous.

Profiled with one thread, every convolution of the INT8 network runs in INT8 (`brgconv_avx512_I8`), as do the pools,
concatenations and the first dense layer; only the small dense layers and the softmax run in f32.
"""

from pathlib import Path

import numpy as np
import openvino as ov

from models.engines.cache import open_cache, seal_cache
from models.engines.engine import Engine, answer_of
from models.engines.network import BundleNetwork, Ports
from models.engines.processor import instruction_set
from station.core.choices import Precision
from station.core.errors import ModelError
from station.core.part import Answer, EngineIdentity, Pixels
from station.core.settings import ModelSettings

DEVICE = "CPU"
LATENCY: dict[str, str | int] = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1}


class OpenVinoEngine(Engine):
    """A network of a bundle on OpenVINO.

    Args:
        network: What to run.
        settings: Precision, threads and pinning.
        cache_dir: Where compiled networks are kept; None keeps none.

    Raises:
        ModelError: A file is not the one that the manifest names, the processor lacks the arithmetic, or OpenVINO
            cannot run the network.
    """

    def __init__(self, network: BundleNetwork, settings: ModelSettings, cache_dir: Path | None = None) -> None:
        artefact = network.read("openvino-int8" if settings.precision == "int8" else "openvino")
        try:
            compiled = _compile(artefact, network, settings, cache_dir)
            _require_precision(settings.precision, executed_precision(compiled))
            self._request = compiled.create_infer_request()
            self._patches = self._request.input_tensors[0].data
            self._answers = [tensor.data for tensor in self._request.output_tensors]
        except RuntimeError as error:
            raise ModelError("model.engine_failed", f"{network.name}: {error}") from error
        version = ov.__version__.partition("-")[0]
        super().__init__(network, EngineIdentity("openvino", version, settings.precision, instruction_set()))

    def _compute(self, patches: Pixels) -> Answer:
        np.copyto(self._patches, patches)
        try:
            self._request.infer(share_outputs=True)
        except RuntimeError as error:
            raise ModelError("model.engine_failed", str(error)) from error
        return answer_of([np.array(answer, np.float32) for answer in self._answers])


def executed_precision(compiled: ov.CompiledModel) -> str:
    """The arithmetic, `f32` or `bf16`, that OpenVINO chose for what is not quantised; the wish alone binds it not."""
    return str(compiled.get_property("INFERENCE_PRECISION_HINT").to_string())


def _compile(
    artefact: tuple[bytes, ...], network: BundleNetwork, settings: ModelSettings, cache_dir: Path | None
) -> ov.CompiledModel:
    core = ov.Core()
    graph = core.read_model(*artefact)
    if network.is_by_one:
        graph.reshape(list(network.ports.taken))
    _check_shapes(graph, network.ports)
    cache = None if cache_dir is None else open_cache(cache_dir / f"{network.name}-{settings.precision}")
    compiled = core.compile_model(graph, DEVICE, _options(settings, cache))
    if cache is not None:
        seal_cache(cache)
    return compiled


def _options(settings: ModelSettings, cache: Path | None) -> dict[str, str | int | bool]:
    options: dict[str, str | int | bool] = {
        **LATENCY,
        "INFERENCE_PRECISION_HINT": "bf16" if settings.precision == "bf16" else "f32",
        "ENABLE_CPU_PINNING": settings.pinning,
    }
    if settings.threads:
        options["INFERENCE_NUM_THREADS"] = settings.threads
    if cache is not None:
        options["CACHE_DIR"] = str(cache)
    return options


def _require_precision(asked: Precision, executed: str) -> None:
    wanted = "bf16" if asked == "bf16" else "f32"
    if executed != wanted:
        raise ModelError(
            "model.engine_unavailable",
            f"this processor ({instruction_set()}) would compute in {executed}, not in {wanted}; "
            f"set model.precision to f32 or int8",
        )


def _check_shapes(graph: ov.Model, ports: Ports) -> None:
    every = (*graph.inputs, *graph.outputs)
    found = [(port.element_type.to_string(), tuple(port.partial_shape.to_shape())) for port in every]
    wanted = [("u8", ports.taken), *(("f32", shape) for shape in ports.answered)]
    if found != wanted:
        raise ModelError("model.bad_manifest", f"the graph's ports are {found}, not {wanted}")
