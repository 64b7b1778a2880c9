"""The INT8 artefact: post-training quantisation of the OpenVINO graph. Needs NNCF.

Ranges of the activations are taken from calibration patches, a fifth of which are over- or under-exposed, so that a
lamp that ages or an exposure that is off does not leave the ranges. Weights are quantised per output channel.
Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference";
calibration with 20 % over- and under-exposed images and the classifier's layers kept wider after the hybrid-inference
paper's section on INT8.
"""

from dataclasses import dataclass
from typing import Literal

import nncf
import numpy as np
import openvino as ov
from numpy.typing import NDArray

from models.manifest import Input
from station.core.part import Pixels

MISEXPOSED_SHARE = 0.2
OVER_EXPOSURE = (1.25, 1.8)
UNDER_EXPOSURE = (0.35, 0.75)
"""Factors on the grey values, evenly distributed; values above 255 saturate as a sensor does."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A way to quantise.

    Attributes:
        preset: performance: symmetric ranges everywhere; mixed: activations with a zero point of their own.
        wide_head: Whether the dense layers stay in 32 bits.
        bias: How biases make up for the quantisation's mean error: fast per layer, or accurate after all before it.
    """

    preset: Literal["performance", "mixed"]
    wide_head: bool
    bias: Literal["fast", "accurate", "none"]


RECIPES = {
    "performance": Recipe("performance", wide_head=False, bias="fast"),
    "mixed": Recipe("mixed", wide_head=False, bias="fast"),
    "mixed-wide-head": Recipe("mixed", wide_head=True, bias="fast"),
    "mixed-accurate": Recipe("mixed", wide_head=False, bias="accurate"),
    "mixed-none": Recipe("mixed", wide_head=False, bias="none"),
    "performance-wide-head": Recipe("performance", wide_head=True, bias="fast"),
}


def calibration_strips(patches: NDArray[np.uint8], seed: int) -> tuple[list[Pixels], int, int]:
    """Patches (n, 256, 256) as strips (2, 256, 256), a tenth of the patches over-exposed and a tenth under-exposed."""
    rng = np.random.default_rng(seed)
    count = len(patches) // Input().batch * Input().batch
    each = round(count * MISEXPOSED_SHARE / 2)
    factors = np.ones(count)
    chosen = rng.permutation(count)
    factors[chosen[:each]] = rng.uniform(*OVER_EXPOSURE, each)
    factors[chosen[each : 2 * each]] = rng.uniform(*UNDER_EXPOSURE, each)
    exposed = [
        np.clip(np.rint(patch * factor), 0, 255).astype(np.uint8)
        for patch, factor in zip(patches[:count], factors, strict=True)
    ]
    return [np.stack(exposed[at : at + Input().batch]) for at in range(0, count, Input().batch)], each, each


def quantise(graph: ov.Model, strips: list[Pixels], recipe: Recipe) -> ov.Model:
    """A graph that computes in INT8 where the recipe says so; takes minutes for several hundred strips."""
    advanced = nncf.AdvancedQuantizationParameters(
        overflow_fix=nncf.OverflowFix.DISABLE,
        disable_bias_correction=recipe.bias == "none",
    )
    return nncf.quantize(
        graph.clone(),
        nncf.Dataset(strips),
        preset=nncf.QuantizationPreset(recipe.preset),
        subset_size=len(strips),
        fast_bias_correction=recipe.bias != "accurate",
        ignored_scope=_ignored(graph, recipe),
        advanced_parameters=advanced,
    )


def _ignored(graph: ov.Model, recipe: Recipe) -> nncf.IgnoredScope | None:
    names = [node.get_friendly_name() for node in graph.get_ordered_ops() if node.get_type_name() == "MatMul"]
    return nncf.IgnoredScope(names=names) if recipe.wide_head and names else None
