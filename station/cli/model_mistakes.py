"""`station model mistakes`: which labels of a data set are likely wrong."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from station.cli.model_train import DataFolder, need_training_packages
from station.cli.terminal import err, out

if TYPE_CHECKING:
    from models.mistakes.document import Mistakes

LISTED = 20
"""Mistakes on the terminal; all of them are in the report."""


def mistakes(
    trained: Annotated[
        Path, typer.Argument(metavar="RUN", help="Folder of `station model crossval`, or of `station model train`.")
    ],
    data: DataFolder,
    out_folder: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the report; nothing in it is overwritten.")
    ],
    pictures: Annotated[int, typer.Option(min=0, max=1000, help="Pictures in the report.")] = 100,
) -> None:
    """Find labels that are likely wrong, by confident learning on images that a network had not seen.

    Of a cross-validation every image of training and validation is looked at, of a training those of validation and
    test. mistakes.html shows them, mistakes.json holds the same.
    """
    need_training_packages("cleanlab")
    import torch

    from models.dataset.store import read_data, verify_images
    from models.evaluation.measurement import prepare
    from models.mistakes.answers import answers_of
    from models.mistakes.confident import doubts
    from models.mistakes.document import DOCUMENT, REPORT, document_of
    from models.mistakes.report import render
    from models.training.checkpoint import write_whole

    prepare(out_folder, DOCUMENT, REPORT)
    data_set = read_data(data)
    verify_images(data_set)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    answers = answers_of(trained, data_set, device, _tell)
    found = doubts(answers.labels, answers.probabilities)
    document = document_of(data_set, answers.images, answers.source, found)
    write_whole(out_folder / DOCUMENT, (document.model_dump_json(indent=1) + "\n").encode())
    write_whole(out_folder / REPORT, render(document, data_set, pictures).encode())
    out.print(_table(document))
    told = f"{len(document.mistakes)} of {document.images} labels are likely wrong: {out_folder / REPORT}"
    out.print(escape(told), soft_wrap=True, highlight=False)


def _table(document: "Mistakes") -> Table:
    table = Table("file", "image", "given", "suggested", "self-confidence", box=None)
    for one in document.mistakes[:LISTED]:
        suggested = f"{one.suggested} {one.confidence:.3f}"
        row = (one.file, str(one.image), one.given, suggested, f"{one.self_confidence:.4f}")
        table.add_row(*map(escape, row))
    return table


def _tell(text: str) -> None:
    err.print(text, highlight=False, markup=False, soft_wrap=True)
