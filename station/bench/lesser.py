"""What a lesser computer would reach: with fewer instructions, and on one core, in each arithmetic that it has.

oneDNN, with which OpenVINO computes convolutions and products, is told by a switch of its own up to which instruction
set it may go; what this processor does not have cannot be tried. A core of a lesser processor is slower beside that:
the figures are comparisons, not forecasts.
Source: oneDNN, "CPU dispatcher control", `ONEDNN_MAX_CPU_ISA`.
"""

from collections.abc import Sequence
from typing import Any

from models.engines import choices
from models.engines.processor import instruction_set, usable_cores
from station.bench.apart import apart_under
from station.bench.plan import BenchPlan
from station.bench.scaling import image_s
from station.core.choices import Precision
from station.core.errors import ModelError
from station.core.settings import Settings
from station.host.bundles import find_bundle

SWITCH = "ONEDNN_MAX_CPU_ISA"
EXTENSION = {
    "AVX2": "avx2",
    "AVX2_VNNI": "avx_vnni",
    "AVX512_CORE": "avx512f",
    "AVX512_CORE_VNNI": "avx512_vnni",
}
"""Names that oneDNN has for instruction sets, from the least, and what Linux calls the extension that each adds."""


def lesser(plan: BenchPlan) -> dict[str, Any] | None:
    """Images a second by instruction set and by cores, each in every precision; None for an engine other than OpenVINO.

    `choose` is the precision that was fastest on each; whether a screener runs there is another matter, for INT8 that
    saturates is not the INT8 that was proven.

    Raises:
        ModelError: The network cannot be used.
    """
    settings = plan.settings
    if settings.model.engine != "openvino":
        return None
    precisions = tuple(precision for engine, precision in choices(find_bundle(settings)) if engine == "openvino")
    had = set(instruction_set().split())
    limits = {name: (name, usable_cores()) for name, extension in EXTENSION.items() if extension in had}
    limits["one core"] = ("ALL", 1)
    found: dict[str, dict[str, float]] = {}
    for told, (isa, cores) in limits.items():
        plan.say(f"  {told}")
        found[told] = apart_under({SWITCH: isa}, cores, images_per_s, settings, precisions, cores, plan.short_s)
    return {"images_per_s": found, "choose": {told: max(rates, key=rates.__getitem__) for told, rates in found.items()}}


def images_per_s(settings: Settings, precisions: Sequence[Precision], threads: int, seconds: float) -> dict[str, float]:
    """Images a second by precision, of the network alone: what a screener may pass was proven for this processor.

    Raises:
        ModelError: The network cannot be used; a precision that the processor lacks is left out.
    """
    found: dict[str, float] = {}
    for precision in precisions:
        model = settings.model.model_copy(update={"precision": precision, "screener": False})
        try:
            taken_s = image_s(settings.model_copy(update={"model": model}), threads, seconds / len(precisions))
        except ModelError as error:
            if error.code != "model.engine_unavailable":  # bf16 without its instructions
                raise
            continue
        found[precision] = round(1 / taken_s, 2)
    return found
