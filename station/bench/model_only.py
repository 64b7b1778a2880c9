"""The network alone, fed as the station feeds it: one strip's patches at a time."""

from math import prod
from typing import Any

import openvino as ov

from models.manifest import Bundle
from station.bench.plan import BenchPlan
from station.bench.timing import median, percentiles
from station.host.bundles import find_bundle


def model_only(plan: BenchPlan) -> dict[str, Any]:
    """Images a second, what that is in multiplications, and the time of one strip's patches.

    `gmac_per_s` is None for a bundle whose network is not there as an OpenVINO graph to count them in.

    Raises:
        ModelError: The network cannot be used.
    """
    strips_s = plan.network.strips_s()
    blocks = plan.settings.known_types[0].geometry.blocks_per_turn
    images_per_s = 1 / median(strips_s) / blocks
    gmac = gmac_per_strip(find_bundle(plan.settings))
    return {
        "images_per_s": round(images_per_s, 2),
        "gmac_per_s": None if gmac is None else round(images_per_s * blocks * gmac, 1),
        "two_patches_ms": percentiles([1e3 * strip_s for strip_s in strips_s], 50, 99),
    }


def gmac_per_strip(bundle: Bundle) -> float | None:
    """Multiplications with addition that a strip costs, in 10⁹, counted in the graph; None without an OpenVINO one."""
    for artefact in ("openvino", "openvino-int8"):
        if artefact in bundle.manifest.artefacts:
            graph = ov.Core().read_model(*bundle.read_artefact(artefact))
            return sum(map(_multiplications, graph.get_ops())) / 1e9
    return None


def _multiplications(node: ov.Node) -> int:
    """Of a convolution or a product; what other nodes compute is negligible beside them."""
    kind = node.get_type_name()
    if kind not in {"Convolution", "GroupConvolution", "MatMul"}:
        return 0
    ports = (node.input_value(0), node.input_value(1), node.output(0))
    first, second, answer = (list(port.get_shape()) for port in ports)
    if kind == "MatMul":
        return int(prod(answer) * (first[-2] if node.get_attributes()["transpose_a"] else first[-1]))
    return int(prod(answer) * prod(second[1 if kind == "Convolution" else 2 :]))
