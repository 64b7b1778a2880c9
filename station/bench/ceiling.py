"""What the engine reaches where nothing is in its way: the best of several large products and convolutions.

Each costs at least as much as a product of two square matrices of 2048 rows, and runs in OpenVINO with the threads that
are configured, whichever engine judges. An INT8 figure counts only where OpenVINO really computed in INT8, as its own
account of the compiled graph tells.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as op

from models.engines.openvino import DEVICE, LATENCY
from station.bench.plan import BenchPlan
from station.bench.timing import median, times_s
from station.core.settings import ModelSettings

PRODUCTS = (2048, 3072)
"""Rows of square matrices."""
CONVOLUTIONS = ((256, 128), (512, 64))
"""Channels, and the side of the square that is convolved with 3 by 3."""
KERNEL = 3
ARITHMETIC = {"int8": frozenset({"u8", "i8"}), "fp32": frozenset({"f32"})}
"""What OpenVINO says that it computes in."""
HEAVY = frozenset({"FullyConnected", "MatMul", "Convolution"})


@dataclass(frozen=True, slots=True)
class Work:
    """One large graph.

    Attributes:
        name: What it is.
        graph: The graph.
        gmac: Multiplications with addition, in 10⁹.
    """

    name: str
    graph: ov.Model
    gmac: float


def ceiling(plan: BenchPlan) -> dict[str, float | None]:
    """Multiplications with addition in 10⁹ a second; None for INT8 where the processor does not compute in it."""
    found = {kind: _best(kind, plan) for kind in ARITHMETIC}
    return {f"{kind}_gmac_per_s": rate for kind, rate in found.items()}


def large_work(kind: str) -> Iterator[Work]:
    """Products and convolutions in `int8` or `fp32`."""
    for rows in PRODUCTS:
        pixels = op.parameter([rows, rows], _element(kind))
        product = op.matmul(_grey(pixels, kind), _weights((rows, rows), kind), transpose_a=False, transpose_b=True)
        yield Work(f"product {rows}", ov.Model([product], [pixels], "product"), rows**3 / 1e9)
    for channels, side in CONVOLUTIONS:
        pixels = op.parameter([1, channels, side, side], _element(kind))
        weights = _weights((channels, channels, KERNEL, KERNEL), kind)
        maps = op.convolution(_grey(pixels, kind), weights, [1, 1], [1, 1], [1, 1], [1, 1])
        answer = _quantised(op.relu(maps), 0.0, 1e4, 256) if kind == "int8" else maps
        gmac = (channels * side * KERNEL) ** 2 / 1e9
        yield Work(f"convolution {side}² of {channels}", ov.Model([answer], [pixels], "convolution"), gmac)


def compile_work(graph: ov.Model, settings: ModelSettings) -> ov.CompiledModel:
    """The graph as OpenVINO runs the station's network: one at a time, on all configured threads."""
    options: dict[str, Any] = {**LATENCY, "INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": settings.pinning}
    if settings.threads:
        options["INFERENCE_NUM_THREADS"] = settings.threads
    return ov.Core().compile_model(graph, DEVICE, options)


def computes_in(compiled: ov.CompiledModel) -> set[str]:
    """The arithmetic in which a compiled graph's products and convolutions run, in OpenVINO's words."""
    nodes = [node.get_rt_info() for node in compiled.get_runtime_model().get_ops()]
    kinds = [(node["layerType"].astype(str), node["runtimePrecision"].astype(str)) for node in nodes]
    return {precision for layer, precision in kinds if layer in HEAVY}


def _best(kind: str, plan: BenchPlan) -> float | None:
    rates = []
    for work in large_work(kind):
        compiled = compile_work(work.graph, plan.settings.model)
        if not computes_in(compiled) <= ARITHMETIC[kind]:
            plan.say(f"  {kind}, {work.name}: computed in {', '.join(computes_in(compiled))}, not counted")
            continue
        request = compiled.create_infer_request()
        rates.append(work.gmac / median(times_s(request.infer, plan.short_s / 10, at_least=2)))
        plan.say(f"  {kind}, {work.name}: {rates[-1]:.0f} GMAC/s")
    return round(max(rates), 1) if rates else None


def _element(kind: str) -> ov.Type:
    return ov.Type.u8 if kind == "int8" else ov.Type.f32


def _grey(pixels: ov.Node, kind: str) -> ov.Node:
    return _quantised(op.convert(pixels, "f32"), 0.0, 255.0, 256) if kind == "int8" else pixels


def _weights(shape: tuple[int, ...], kind: str) -> ov.Node:
    values = op.constant(np.random.default_rng(1).uniform(-1, 1, shape).astype(np.float32))
    return _quantised(values, -1.0, 1.0, 255) if kind == "int8" else values


def _quantised(values: ov.Node, low: float, high: float, levels: int) -> ov.Node:
    limits = [op.constant(np.float32(limit)) for limit in (low, high, low, high)]
    return op.fake_quantize(values, *limits, levels)
