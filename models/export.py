"""Turns a checkpoint into a bundle: OpenVINO IR that takes raw grey values and answers probabilities, and its manifest.

python -m models.export CHECKPOINT BUNDLE --validation RECORDING
"""

import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import openvino as ov
import torch
import typer
from openvino import opset13 as op
from openvino.preprocess import PrePostProcessor
from torch import Tensor, nn

from models.dataset.scans import read_scans
from models.engines import INPUT_SHAPE, make_engine
from models.evaluation.parts import judge_recording, measure
from models.evaluation.scorers import BundleScorer
from models.manifest import (
    CLASSES,
    GRAPH,
    Data,
    Manifest,
    found_artefacts,
    hash_files,
    load_bundle,
    utc_now,
    write_manifest,
)
from models.networks import NETWORKS
from station.core.settings import DecisionSettings, ModelSettings

DISTRIBUTION = "inspection-station"


class Probabilities(nn.Module):  # type: ignore[misc] # torch is an extra, unknown to mypy
    """A network with the softmax behind it: (n, 1, 256, 256) float of 0 to 1 → (n, 5) that sum to 1."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Probabilities (n, 5)."""
        return torch.softmax(self.network(x), dim=1)


def to_openvino(network: nn.Module) -> ov.Model:
    """The network as a graph from uint8 (2, 256, 256), raw grey values, to float32 (2, 5), probabilities."""
    batch, height, width = INPUT_SHAPE
    example = torch.zeros((batch, 1, height, width))
    graph = ov.convert_model(torch.export.export(Probabilities(network).eval(), (example,)))
    steps = PrePostProcessor(graph)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NCHW"))
    steps.input().preprocess().convert_element_type(ov.Type.f32).scale(255.0)
    return without_channel_axis(steps.build())


def without_channel_axis(graph: ov.Model) -> ov.Model:
    """The same graph with an input (2, 256, 256) in place of (2, 1, 256, 256)."""
    old = graph.get_parameters()[0]
    new = op.parameter(INPUT_SHAPE, ov.Type.u8, "patches")
    with_channel = op.unsqueeze(new, op.constant(np.array([1], np.int64)))
    old.output(0).replace(with_channel.output(0))
    flat = ov.Model(graph.get_results(), [new], "inception-cnn")
    flat.validate_nodes_and_infer_types()
    return flat


def export(checkpoint: Path, folder: Path, source: str, licence: str, number: int) -> None:
    """Write a bundle without figures.

    Args:
        checkpoint: From `models.train`.
        folder: The bundle's folder; its name is the bundle's.
        source: Where the training pictures come from.
        licence: SPDX name of the weights' licence.
        number: Counts the bundles of this network.
    """
    state: dict[str, Any] = torch.load(checkpoint, weights_only=True)
    plan = state["plan"]
    network = NETWORKS[plan["network"]].make(5, 256, 256)
    network.load_state_dict(state["network"])
    folder.mkdir(parents=True, exist_ok=True)
    ov.save_model(to_openvino(network), folder / GRAPH, compress_to_fp16=True)
    data = Data(
        source=source,
        parts=state["parts"],
        patches=state["patches"],
        epochs=state["epochs_done"],
        patches_per_epoch=plan["patches_per_epoch"],
        seed=plan["seed"],
    )
    manifest = Manifest(
        name=folder.name,
        network=plan["network"],
        version=number,
        created=utc_now(),
        code_version=code_version(),
        licence=licence,
        artefacts=found_artefacts(folder),
        files=hash_files(folder),
        classes=CLASSES,
        data=data,
    )
    write_manifest(folder, manifest)


def code_version() -> str:
    """Version of the source tree that this runs from, or of the installed product."""
    project = Path(__file__).parents[1] / "pyproject.toml"
    if project.is_file():
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
    return version(DISTRIBUTION)


def add_figures(folder: Path, validation: Path, source: str) -> None:
    """Measure a bundle on a recording that it was not trained on, and write the figures into its manifest."""
    bundle = load_bundle(folder)
    classifier = make_engine(bundle, ModelSettings(bundle=bundle.manifest.name))
    scorer = BundleScorer(classifier, bundle.manifest.classes)
    parts = judge_recording(scorer, read_scans(validation), DecisionSettings().min_confidence)
    figures = measure(parts, source)
    write_manifest(folder, bundle.manifest.model_copy(update={"figures": figures}))
    typer.echo(figures.model_dump_json(indent=2))


def main(
    checkpoint: Annotated[Path, typer.Argument(help="best.pt from `python -m models.train`.")],
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle; its name is the bundle's.")],
    validation: Annotated[Path, typer.Option(help="Recording of parts that were not trained on, for the figures.")],
    source: Annotated[str, typer.Option(help="Where the training pictures come from.")] = "rendered housings",
    validation_source: Annotated[str, typer.Option(help="What the figures were measured on.")] = "rendered housings",
    licence: Annotated[str, typer.Option(help="SPDX name of the weights' licence.")] = "Apache-2.0",
    number: Annotated[int, typer.Option(min=1, help="Counts the bundles of this network.")] = 1,
) -> None:
    """Export a checkpoint as a bundle, measure the bundle, and write what it reached into its manifest."""
    export(checkpoint, bundle, source, licence, number)
    add_figures(bundle, validation, validation_source)


if __name__ == "__main__":
    typer.run(main)
