"""Tables of trained networks for the terminal, the paper's figures beside ours."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from models.benchmark.document import Benchmark
    from models.evaluation.figures.metrics import Classification
    from models.evaluation.measuring.groups import GroupFigures
    from models.training.comparison import Comparison
    from models.training.crossval import Crossval

PAPERS_OWN = (
    "The paper's figures are of its own images, generated defects among those that trained; without these its baseline "
    "reached 89.23 % of the parts."
)


def groups_table(groups: Sequence["GroupFigures"]) -> Table:
    """Parts by the place of their defect, or by unknown kind: one line a group, with exact limits."""
    from models.evaluation.figures.wording import within

    table = Table("", "class", "found", "judged rightly", "escapes", box=None)
    for group in groups:
        rates = (within(rate) for rate in (group.found, group.right, group.escapes))
        table.add_row(group.name, group.defect or "all", *rates)
    return table


def crossval_table(rows: Sequence["Crossval"]) -> Table:
    """One line a cross-validation."""
    table = Table(
        *("network", "parameters, M", "folds", "accuracy, %", "errors", "balanced, %", "macro F1", "the paper's, %"),
        caption=PAPERS_OWN,
    )
    for row in rows:
        accuracy = f"{row.mean * 100:.2f} ± {row.deviation * 100:.2f}"
        table.add_row(
            row.network,
            f"{row.trainable_parameters / 1e6:.2f}",
            str(len(row.fold_accuracies)),
            accuracy,
            _errors(row.pooled),
            _share(row.pooled.balanced_accuracy, 100),
            _share(row.pooled.macro_f1),
            _paper(row.paper_percent),
        )
    return table


def comparison_table(rows: Sequence["Comparison"]) -> Table:
    """One line a network."""
    table = Table(
        *("network", "parameters, M", "folds, %", "the paper's folds, %", "test images, %", "errors"),
        *("test parts, %", "errors", "the paper's parts, %"),
        caption=PAPERS_OWN,
    )
    for row in rows:
        folds = row.crossval
        table.add_row(
            row.network,
            f"{row.trainable_parameters / 1e6:.2f}",
            f"{folds.mean * 100:.2f}" if folds else "-",
            _paper(folds.paper_percent if folds else None),
            _percent(row.images),
            _errors(row.images),
            _percent(row.parts),
            _errors(row.parts),
            _paper(row.paper_percent),
        )
    return table


def paired_table(rows: Sequence["Comparison"]) -> Table:
    """Every network but the first against it, on the same images or parts: what only one of the two has right."""
    from models.evaluation.figures.paired import gain_within, mcnemar

    first = rows[0]
    folded = first.crossval is not None
    title = f"against {first.network}, {'cross-validated' if folded else 'on the test split'}"
    table = Table(
        *("network", f"only {first.network} right", "only it right", "gain, points, and 95 % limits", "p, McNemar"),
        title=title,
    )
    own = _right(first)
    for row in rows[1:]:
        other = _right(row)
        lost = sum(one > two for one, two in zip(own, other, strict=True))
        won = sum(one < two for one, two in zip(own, other, strict=True))
        gain, lower, upper = (100 * value for value in gain_within(won, lost, len(own)))
        told = f"{gain:+.2f} ({lower:+.2f} to {upper:+.2f})"
        table.add_row(row.network, str(lost), str(won), told, f"{mcnemar(won, lost):.3g}")
    return table


def benchmark_table(benchmark: "Benchmark") -> Table:
    """One line a network and engine: what it reaches, and what it costs."""
    from models.evaluation.figures.wording import within

    fastest = ", ".join(benchmark.worth_choosing())
    table = Table(
        *("network", "M", "judged rightly", "F1", "AUC", "trained, min", "engine", "ms an image", "MB", "memory, MB"),
        "decided otherwise than by torch",
        title=f"{benchmark.computer}, images of {benchmark.image[0]}x{benchmark.image[1]}",
        caption=f"None is both faster and more often right than these: {fastest}." if fastest else None,
    )
    for one in benchmark.networks:
        own: tuple[str, ...] = (
            one.network, f"{one.trainable_parameters / 1e6:.2f}", within(one.accuracy), _share(one.macro_f1),
            _share(one.macro_auc), f"{one.training_s / 60:.1f}",
        )  # fmt: skip
        for run in one.runs:
            costs = f"{run.ms:.2f} (least {run.least_ms:.2f})", f"{run.size_mb:.1f}", f"{run.memory_mb:.0f}"
            table.add_row(*own, f"{run.engine} {run.precision}", *costs, f"{run.changed} of {run.images}")
            own = ("",) * len(own)
        for refused in one.not_run:
            table.add_row(*own, f"{refused.engine} {refused.precision}", "-", "-", "-", refused.why)
            own = ("",) * len(own)
    return table


def _right(row: "Comparison") -> tuple[int, ...]:
    return row.crossval.right if row.crossval is not None else row.right


def errors_table(scores: "Classification", title: str, judged: str = "images") -> Table:
    """One line a class: how many were judged wrongly, and as what."""
    table = Table("class", judged, "errors", "recall, %", "precision, %", "F1", "AUC", "taken for", title=title)
    for number, scored in enumerate(scores.classes):
        row = scores.confusion[number]
        others = [f"{scores.columns[at]} {count}" for at, count in enumerate(row) if count and at != number]
        table.add_row(
            scored.name,
            str(scored.samples),
            str(scored.samples - row[number]),
            _share(scored.recall.share, 100),
            _share(scored.precision, 100),
            _share(scored.f1),
            _share(scored.auc),
            ", ".join(others),
        )
    return table


def _percent(scores: "Classification | None") -> str:
    return "-" if scores is None else _share(scores.accuracy.share, 100)


def _errors(scores: "Classification | None") -> str:
    return "-" if scores is None else f"{scores.accuracy.trials - scores.accuracy.events} of {scores.samples}"


def _share(value: float | None, times: float = 1) -> str:
    if value is None:
        return "-"
    return f"{value * times:.2f}" if times != 1 else f"{value:.4f}"


def _paper(percent: float | None) -> str:
    return "-" if percent is None else f"{percent:.2f}"
