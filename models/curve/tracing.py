"""Traces a learning curve: a training a size, each in its own folder, so that all goes on after a kill. Needs torch."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.curve.document import DOCUMENT, PICTURE, TABLE, Curve, CurvePoint, curve_point, table
from models.curve.picture import picture
from models.curve.subsets import nested
from models.curve.telling import law_of, told, written
from models.dataset.store import DataSet, Split
from models.training.checkpoint import write_whole
from models.training.comparison import Comparison, compare
from models.training.labels import rows_for
from models.training.plan import Plan
from models.training.session import Session

UNUSED = -1
"""In place of a split: an image that this training does without."""


def trace(
    data: DataSet, plan: Plan, sizes: Sequence[int], expected_parts: int, folder: Path, session: Session
) -> Curve | None:
    """Train on so many parts and judge each on the test split; None where the session was stopped.

    Sizes that are done already are not trained anew. An even draw draws as many images an epoch for every size, by
    default as many as there are to train on, so that all take the same steps.

    Args:
        data: Its training split is taken in part, validation and test whole.
        plan: How each is trained.
        sizes: Parts, rising.
        expected_parts: Of how many parts to say what they let expect.
        folder: One folder a size goes into it, and the curve.
        session: Where to compute.

    Raises:
        TrainingError: The sizes do not fit the data, the test split lacks a class, or a training fails.
    """
    subsets = nested(data, sizes, plan.seed, plan.labels)
    same = _of_same_steps(plan, len(rows_for(data, Split.TRAIN, plan.labels)))
    points: list[CurvePoint] = []
    curve = None
    for size, images in subsets.items():
        rows = compare(_only(data, images), [(same, None)], 0, folder / f"parts-{size}", session)
        if rows is None:
            return None
        points.append(curve_point(size, len(images), rows[0].judged, data.manifest.good))
        curve = _curve(rows[0], points, expected_parts, same.seed)
        _write(folder, curve)
    return curve


def _of_same_steps(plan: Plan, images: int) -> Plan:
    if plan.draw == "whole" or plan.items_per_epoch:
        return plan
    return plan.model_copy(update={"items_per_epoch": images})


def _only(data: DataSet, train: NDArray[np.intp]) -> DataSet:
    """The data set with these images to train on and no others; validation and test as they are."""
    splits = np.where(data.splits == Split.TRAIN, UNUSED, data.splits).astype(np.int8)
    splits[train] = Split.TRAIN
    return replace(data, splits=splits)


def _curve(row: Comparison, points: Sequence[CurvePoint], expected_parts: int, seed: int) -> Curve:
    law = law_of(points)
    return Curve(
        code_version=row.code_version,
        network=row.network,
        data_sha256=row.data_sha256,
        data_source=row.data_source,
        plan=row.plan,
        judged="pictures" if row.parts is None else "parts",
        points=tuple(points),
        law=written(law),
        told=told(points, law, expected_parts, seed),
    )


def _write(folder: Path, curve: Curve) -> None:
    write_whole(folder / DOCUMENT, (curve.model_dump_json(indent=1) + "\n").encode())
    write_whole(folder / TABLE, table(curve.points).encode())
    write_whole(folder / PICTURE, picture(curve.points, law_of(curve.points)))
