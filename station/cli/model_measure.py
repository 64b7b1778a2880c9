"""`station model evaluate` and `station model robustness`: what a network finds, what it misses, how it fails."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from station.cli.model_options import (
    EngineOption,
    MinConfidence,
    Model,
    PrecisionOption,
    chosen_settings,
    need_packages_for,
    tracked,
)
from station.cli.model_tables import groups_table
from station.cli.terminal import ConfigOption, LabelsOption, err, out, tell_left_out
from station.core.errors import ConfigError
from station.core.settings import Settings

if TYPE_CHECKING:
    from models.dataset.store import DataSet, Split
    from models.evaluation.figures.rates import Rate
    from models.evaluation.measurement import Instrument, Judging
    from models.evaluation.measuring.evaluation import Evaluation
    from models.evaluation.measuring.robustness import Tally
    from models.meaning import Meaning

OutFolder = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Folder for the report; nothing in it is overwritten.")
]
Cropping = Annotated[
    str, typer.Option("--crop", help="station: find the part as the cell does; truth: take the recorded columns.")
]
Seed = Annotated[int, typer.Option(min=0, help="Of noise and scratches.")]


def evaluate(
    model: Model,
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", help="A recording whose parts have a class, with masks or without; or a data set."
        ),
    ],
    out_folder: OutFolder,
    curves: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Recording with masks, defects of many severities, for the detection curves."),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Masks of a data set's pictures, CLASS/NAME.png, to look where the evidence lies."
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="Of a data set: train, validation or test.")] = "test",
    robustness_parts: Annotated[
        int, typer.Option("--robustness", min=0, help="Disturb so many parts of the recording, too.")
    ] = 0,
    evidence_parts: Annotated[
        int, typer.Option("--evidence", min=0, help="Look on so many defective parts where the evidence lies.")
    ] = 100,
    worst: Annotated[int, typer.Option(min=0, max=100, help="Wrong parts to show of each kind.")] = 12,
    labels: LabelsOption = None,
    cropping: Cropping = "station",
    engine: EngineOption = None,
    precision: PrecisionOption = None,
    min_confidence: MinConfidence = None,
    seed: Seed = 1,
    config: ConfigOption = None,
) -> None:
    """Measure a network on parts, or pictures, that are known; write evaluation.json and report.html.

    On a recording every part is judged as the station would: patches, Algorithm 1, least confidence. What needs masks
    is measured where there are some. On a data set each picture is judged alone.
    """
    from models.evaluation.measurement import (
        DOCUMENT,
        REPORT,
        Scope,
        measure_recording,
        prepare,
        write_evaluation,
    )

    settings = chosen_settings(config, engine, precision, min_confidence)
    if masks is not None and not masks.is_dir():
        raise ConfigError("config.bad_option", f"--masks {masks}: there is no such folder")
    if labels is not None and (data / "manifest.json").is_file():
        raise ConfigError("config.bad_option", f"--labels are of scans; {data} is a data set")
    prepare(out_folder, DOCUMENT, REPORT)
    instrument = _instrument(model, settings)
    if (data / "manifest.json").is_file():
        _evaluate_data(instrument, data, split, masks, out_folder, settings)
    else:
        scope = Scope(data, curves, worst, evidence_parts, robustness_parts, seed)
        evaluation, pictures = measure_recording(instrument, _judging(instrument, settings, cropping, labels), scope)
        write_evaluation(out_folder, evaluation, pictures)
        if evaluation.parts is not None:
            _print_tally(evaluation.parts.tally)
        if evaluation.groups:
            out.print(groups_table(evaluation.groups))
        _print_gaps(evaluation)
    out.print(escape(str(out_folder / REPORT)), soft_wrap=True, highlight=False)


def robustness(
    model: Model,
    recording: Annotated[Path, typer.Argument(metavar="RECORDING", help="A recording whose parts have a class.")],
    out_folder: OutFolder,
    parts: Annotated[int, typer.Option(min=1, help="Parts to disturb, from the recording's first on.")] = 40,
    labels: LabelsOption = None,
    cropping: Cropping = "station",
    engine: EngineOption = None,
    precision: PrecisionOption = None,
    min_confidence: MinConfidence = None,
    seed: Seed = 1,
    config: ConfigOption = None,
) -> None:
    """Judge the same parts out of focus, with noise, in other light, scratched; write robustness.json and report.html.

    A part is judged 29 times: once as it is, and at every level of six disturbances of the raw scan.
    """
    from models.evaluation.measurement import REPORT, ROBUSTNESS, measure_disturbed, prepare, write_robustness

    settings = chosen_settings(config, engine, precision, min_confidence)
    prepare(out_folder, ROBUSTNESS, REPORT)
    instrument = _instrument(model, settings)
    judging = _judging(instrument, settings, cropping, labels)
    document = measure_disturbed(instrument, judging, recording, parts, seed)
    write_robustness(out_folder, document)
    tell_left_out([str(part) for part in document.left_out])
    table = Table("disturbance", "level", "judged rightly", "escapes", "overkill", "review", box=None)
    for curve in document.curves:
        for level in curve.levels:
            table.add_row(curve.name, f"{level.level:g} {curve.unit}", *_cells(level.tally))
    out.print(table)
    out.print(escape(str(out_folder / REPORT)), soft_wrap=True, highlight=False)


def _evaluate_data(
    instrument: "Instrument", data: Path, split: str, masks: Path | None, folder: Path, settings: Settings
) -> None:
    from models.dataset.store import Split, read_data
    from models.meaning import fitting_meaning

    if split.upper() not in Split.__members__:
        raise ConfigError("config.bad_option", f"--split {split}: train, validation or test")
    data_set, chosen = read_data(data), Split[split.upper()]
    meaning = fitting_meaning(data_set.classes, data_set.manifest.passing, settings.table, str(data))
    if len(data_set.unlabelled(chosen)) and meaning is not None:
        _evaluate_bags(instrument, data_set, chosen, meaning, folder, settings)
    else:
        _evaluate_pictures(instrument, data_set, chosen, masks, folder)


def _evaluate_bags(
    instrument: "Instrument", data: "DataSet", split: "Split", meaning: "Meaning", folder: Path, settings: Settings
) -> None:
    """Judge whole parts where not every patch has a class of its own."""
    from models.evaluation.measurement import write_evaluation
    from models.evaluation.measuring.bags import judge_bags
    from models.evaluation.measuring.data_sets import part_evaluation
    from models.evaluation.measuring.images import source_of

    least = settings.decision.min_confidence
    judged = judge_bags(instrument.scorer, data, split, meaning, least, instrument.progress)
    subject = instrument.subject(None, data.manifest.passing).model_copy(
        update={"min_confidence": least, "cropping": "patches of the data set"}
    )
    evaluation = part_evaluation(subject, source_of(data, split), judged)
    write_evaluation(folder, evaluation, {})
    if evaluation.parts is not None:
        _print_tally(evaluation.parts.tally)
    _print_gaps(evaluation)


def _evaluate_pictures(
    instrument: "Instrument", data_set: "DataSet", chosen: "Split", masks: Path | None, folder: Path
) -> None:
    from models.evaluation.figures.wording import percent
    from models.evaluation.measurement import write_evaluation
    from models.evaluation.measuring.data_sets import picture_evaluation
    from models.evaluation.measuring.images import measure_images, play_pictures, source_of

    images = measure_images(instrument.scorer, data_set, chosen, instrument.progress)
    pointing = None
    if masks is not None and instrument.evidence_map is not None:
        scorer, evidence_map = instrument.scorer, instrument.evidence_map
        pointing = play_pictures(scorer, evidence_map, data_set, chosen, masks, instrument.progress)
    subject = instrument.subject(None, data_set.manifest.passing)
    write_evaluation(folder, picture_evaluation(subject, source_of(data_set, chosen), images, pointing), {})
    accuracy = images.classification.accuracy
    out.print(f"{accuracy.events:,} of {accuracy.trials:,} judged rightly: {_share(accuracy)}", highlight=False)
    if (balanced := images.classification.balanced_accuracy) is not None:
        out.print(f"balanced accuracy over the classes: {percent(balanced)}", highlight=False)
    if pointing is not None:
        hits = pointing.hits
        out.print(f"evidence on the mask: {hits.events:,} of {hits.trials:,}, {_share(hits)}", highlight=False)
    elif masks is not None:
        out.print("evidence on the mask: no picture that has a mask was called its class", highlight=False)


def _instrument(model: str, settings: Settings) -> "Instrument":
    from station.offline.measuring import open_instrument

    need_packages_for(model)
    return open_instrument(model, settings, tracked)


def _judging(instrument: "Instrument", settings: Settings, cropping: str, labels: Path | None) -> "Judging":
    from station.offline.measuring import open_judging
    from station.offline.people import open_people

    return open_judging(instrument.scorer, settings, cropping, open_people(settings, labels))


def _print_tally(counted: "Tally") -> None:
    from models.evaluation.figures.wording import percent

    table = Table("", "share", "95 % limits", "counts", box=None)
    for name, each in (
        ("judged rightly", counted.accuracy),
        ("escapes", counted.escapes),
        ("overkill", counted.overkills),
        ("review", counted.reviews),
    ):
        limits = f"{percent(each.lower)} to {percent(each.upper)}"
        table.add_row(name, _share(each), limits, f"{each.events:,} of {each.trials:,}")
    out.print(table)


def _print_gaps(evaluation: "Evaluation") -> None:
    from models.evaluation.measuring.evaluation import gaps

    unlisted = evaluation.parts.unlisted if evaluation.parts else None
    strange = [unlisted.said] if unlisted else []
    for line in (*gaps(evaluation.not_measured), *strange):
        err.print(line, highlight=False, markup=False, soft_wrap=True)
    tell_left_out([str(part) for part in evaluation.left_out])


def _cells(counted: "Tally") -> list[str]:
    return [_share(each) for each in (counted.accuracy, counted.escapes, counted.overkills, counted.reviews)]


def _share(counted: "Rate") -> str:
    from models.evaluation.figures.wording import percent

    return percent(counted.share)
