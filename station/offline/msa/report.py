"""The report of a study: one HTML file for people, and the same figures as JSON."""

from collections.abc import Sequence
from pathlib import Path

from models.evaluation.figures.agreement import Kappa
from models.evaluation.figures.rates import Rate
from models.evaluation.figures.wording import NOTHING, percent, within
from models.evaluation.report import page
from station.core.durable import make_folder, write_whole
from station.offline.msa.figures import AppraiserFigures, StudyFigures

HTML, JSON = "msa.html", "msa.json"
KINDS = {"acceptable": "", "marginal": "warn", "unacceptable": "bad"}
READING = (
    "Effectiveness: parts of which every trial is right. AIAG calls 90 % acceptable and 80 % marginal.",
    "Misses: AIAG calls 2 % acceptable and 5 % marginal; of false alarms 5 % and 10 %.",
    "A kappa above 0.75 is good agreement, below 0.40 poor. Where all parts are of one class there is none.",
    "The limits of a kappa are those of other parts like these, drawn with all their trials.",
    "Rates have exact limits of 95 %, as if trials were independent; only those of missed parts do not need that.",
)


def write_report(figures: StudyFigures, folder: Path) -> tuple[Path, Path]:
    """Write both files into a folder, which is made where it is not there; what lies there is replaced.

    Returns:
        The HTML file and the JSON file.

    Raises:
        OSError: The disk fails.
    """
    make_folder(folder)
    html, json = folder / HTML, folder / JSON
    write_whole(html, render(figures).encode())
    write_whole(json, figures.model_dump_json(indent=2).encode())
    return html, json


def render(figures: StudyFigures) -> str:
    """The HTML page."""
    return page.page(
        f"Measurement system analysis {figures.name}",
        _header(figures),
        _cards(figures.appraisers[0]),
        page.section("Each against itself and the reference", page.table(*_appraisers(figures))),
        page.section("Each two against each other", page.table(*_between(figures))) if figures.between else "",
        page.section("What does not count", page.points(_left_out(figures))) if _left_out(figures) else "",
        page.section("How to read this", page.points(READING)),
    )


def kappa_words(kappa: Kappa | None) -> str:
    """A kappa with its limits, for people."""
    if kappa is None or kappa.value is None:
        return NOTHING
    limits = "" if kappa.lower is None else f" ({kappa.lower:.2f} to {kappa.upper:.2f})"
    return f"{kappa.value:.2f}{limits}"


def rate_words(counted: Rate | None) -> str:
    """A rate with its limits and counts, for people."""
    return NOTHING if counted is None else f"{percent(counted.share)}, {within(counted)}"


def _header(figures: StudyFigures) -> str:
    facts = (
        ("Study", figures.name),
        ("Parts", f"{figures.parts}, of which {figures.defective} must not pass"),
        ("Trials", f"{figures.trials} of each part, turned anew each time"),
        ("Computed", f"{figures.created:%Y-%m-%d %H:%M} UTC"),
    )
    return f"<header><h1>Measurement system analysis</h1>{page.facts(facts)}</header>"


def _cards(station: AppraiserFigures) -> str:
    kind = KINDS[station.opinion]
    rates = (("effectiveness", station.effectiveness), ("misses", station.miss), ("false alarms", station.false_alarm))
    cards = [page.card(station.opinion, "the station, by AIAG's criteria", "effectiveness, misses, false alarms", kind)]
    return page.grid([*cards, *(page.card(percent(one.share), name, within(one)) for name, one in rates)], "cards")


def _appraisers(figures: StudyFigures) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    head = ("", *(one.name for one in figures.appraisers))
    columns = [
        (
            rate_words(one.within), kappa_words(one.within_kappa), rate_words(one.effectiveness), rate_words(one.miss),
            rate_words(one.missed_parts), rate_words(one.false_alarm), kappa_words(one.kappa),
            kappa_words(one.class_kappa), one.opinion,
        )
        for one in figures.appraisers
    ]  # fmt: skip
    names = (
        "all trials the same", "kappa of the trials (Fleiss)", "effectiveness", "misses", "parts missed in any trial",
        "false alarms", "kappa with the reference (Cohen)", "the same by class", "by AIAG's criteria",
    )  # fmt: skip
    return head, [tuple(row) for row in zip(names, *columns, strict=True)]


def _between(figures: StudyFigures) -> tuple[tuple[str, ...], Sequence[tuple[str, ...]]]:
    head = ("", "all trials of both the same", "kappa (Cohen)")
    rows = [
        (f"{one.first} and {one.second}", rate_words(one.agreed), kappa_words(one.kappa)) for one in figures.between
    ]
    return head, rows


def _left_out(figures: StudyFigures) -> list[str]:
    told = [
        f"{part}: {count} of {figures.trials} trials; lay it in again" for part, count in figures.broken_off.items()
    ]
    told += [f"{part}: not in the reference" for part in figures.without_reference]
    return told + [f"{part}: in the reference, never judged" for part in figures.not_judged]
