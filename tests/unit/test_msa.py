"""Attribute agreement against another library, and the report of a study from its trials."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from models.errors import LabelError
from models.evaluation.figures.agreement import Ratings, cohen, fleiss, with_limits
from models.evaluation.figures.rates import rate
from station.cli.msa import msa_app
from station.core.study import Study
from station.offline.msa.figures import AppraiserFigures, StudyFigures, figures_of, opinion_of
from station.offline.msa.report import write_report
from station.offline.msa.sheet import read_given, sheet_of
from station.records.tried import SqliteReferenceReader
from tests.housings import Verdict
from tests.record_samples import PART_TYPE, decision, open_ledger, part

VERDICTS = ("defect_free", "pits", "scratches", "review")
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def crossed(table: list[list[int]]) -> tuple[Ratings, Ratings]:
    """Single trials that come to this table, in any order."""
    pairs = [
        (row, column) for row, counts in enumerate(table) for column, count in enumerate(counts) for _ in range(count)
    ]
    first, second = np.array(pairs, np.intp).T
    return first[:, None], second[:, None]


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        ([[44, 6], [3, 97]], 0.862944),
        ([[45, 5], [3, 97]], 0.878788),
        ([[42, 9], [6, 93]], 0.773960),
        ([[12, 3, 1], [2, 20, 4], [0, 5, 33]], 0.700300),
    ],
)
def test_cohens_kappa_is_that_of_another_library(table: list[list[int]], kappa: float) -> None:
    """`statsmodels.stats.inter_rater.cohens_kappa` of statsmodels 0.15.0, computed 2026-12-01."""
    assert cohen(*crossed(table), len(table)) == pytest.approx(kappa, abs=5e-7)


@pytest.mark.parametrize(
    ("counts", "kappa"),
    [
        (
            (
                (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
                (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
            ),
            0.209931,
        ),
        (((3, 0, 0), (2, 1, 0), (0, 3, 0), (0, 2, 1), (1, 1, 1), (0, 0, 3), (3, 0, 0), (0, 3, 0)), 0.545946),
    ],
)  # fmt: skip
def test_fleiss_kappa_is_that_of_another_library(counts: tuple[tuple[int, ...], ...], kappa: float) -> None:
    """`statsmodels.stats.inter_rater.fleiss_kappa` of statsmodels 0.15.0, computed 2026-12-01: a subject a row."""
    ratings = np.array([np.repeat(np.arange(len(row)), row) for row in counts], np.intp)
    found = with_limits(fleiss, ratings, categories=len(counts[0]))
    assert found.value == pytest.approx(kappa, abs=5e-7)
    assert found.lower is not None
    assert found.upper is not None
    assert found.lower < kappa < found.upper


@pytest.mark.parametrize(
    ("events", "trials", "lower", "upper"),
    [
        (42, 50, 0.708874, 0.928299), (48, 50, 0.862862, 0.995119), (0, 48, 0.0, 0.073973), (50, 50, 0.928878, 1.0),
    ],
)  # fmt: skip
def test_the_limits_of_a_rate_are_those_of_another_library(
    events: int, trials: int, lower: float, upper: float
) -> None:
    """`proportion_confint(…, method="beta")` of statsmodels 0.15.0, computed 2026-12-01."""
    found = rate(events, trials)
    assert (found.lower, found.upper) == pytest.approx((lower, upper), abs=5e-7)


@pytest.mark.parametrize(
    ("right", "miss", "alarm", "opinion"),
    [
        (42, 3, 5, "unacceptable"),  # 84 %, 6.3 % of 48, 4.9 % of 102
        (45, 3, 2, "unacceptable"),
        (40, 2, 11, "unacceptable"),
        (48, 0, 5, "acceptable"),
        (41, 2, 9, "marginal"),
        (39, 0, 0, "unacceptable"),
    ],
)
def test_an_opinion_takes_all_three_rates(right: int, miss: int, alarm: int, opinion: str) -> None:
    assert opinion_of(rate(right, 50), rate(miss, 48), rate(alarm, 102)) == opinion


def test_where_all_is_of_one_class_there_is_no_kappa() -> None:
    ratings = np.zeros((5, 3), np.intp)
    kappa = with_limits(fleiss, ratings, categories=2)
    assert (kappa.value, kappa.lower, kappa.upper) == (None, None, None)


SAID = {
    "P1": (Verdict.DEFECT_FREE,) * 3,
    "P2": (Verdict.PITS, Verdict.PITS, Verdict.DEFECT_FREE),  # missed once
    "P3": (Verdict.SCRATCHES, Verdict.PITS, Verdict.REVIEW),  # another defect each time, and never passed
    "P4": (Verdict.DEFECT_FREE, Verdict.REVIEW, Verdict.DEFECT_FREE),
    "P5": (Verdict.PITS,),  # broken off
    "P6": (Verdict.PITS,) * 3,  # nobody says what it is
}
REFERENCE = """part_id,reference,anna,anna,anna
P1,defect_free,defect_free,defect_free,defect_free
P2,pits,pits,pits,pits
P3,scratches,scratches,scratches,scratches
P4,defect_free,defect_free,defect_free,defect_free
P5,pits,pits,pits,pits
P7,pits,pits,pits,pits
"""


async def figures(tmp_path: Path) -> StudyFigures:
    ledger, study = await open_ledger(tmp_path), Study("spring", 3)
    for part_id, verdicts in SAID.items():
        for trial, verdict in enumerate(verdicts, 1):  # each laid in anew, as after a study that was broken off
            inspection = await ledger.enter(part(part_id), PART_TYPE)
            await ledger.references.keep_trial(study, inspection, trial, decision(verdict))
    again = await ledger.enter(part("P1"), PART_TYPE)
    await ledger.references.keep_trial(study, again, 4, decision(Verdict.PITS))  # more than was asked for
    await ledger.close()
    (tmp_path / "reference.csv").write_text(REFERENCE, encoding="utf-8")
    reader = SqliteReferenceReader(tmp_path)
    assert [(row["name"], row["parts"], row["judged"]) for row in reader.studies()] == [("spring", 6, 17)]
    sheet = sheet_of(reader.trials("spring"), read_given(tmp_path / "reference.csv", VERDICTS), 3)
    return figures_of("spring", sheet, "defect_free", VERDICTS, 3, NOW)


def counts(one: AppraiserFigures) -> dict[str, tuple[int, int]]:
    names = ("within", "effectiveness", "miss", "missed_parts", "false_alarm")
    return {name: (getattr(one, name).events, getattr(one, name).trials) for name in names}


async def test_a_study_counts_whole_parts_with_a_reference(tmp_path: Path) -> None:
    found = await figures(tmp_path)
    assert (found.parts, found.defective) == (4, 2)
    assert (found.broken_off, found.without_reference, found.not_judged) == ({"P5": 1}, ["P6"], ["P7"])
    station, anna = found.appraisers
    assert counts(station) == {
        "within": (1, 4), "effectiveness": (2, 4), "miss": (1, 6), "missed_parts": (1, 2), "false_alarm": (1, 6),
    }  # fmt: skip
    assert counts(anna)["effectiveness"] == (4, 4)
    assert (station.opinion, anna.opinion) == ("unacceptable", "acceptable")
    assert station.kappa.value == pytest.approx(2 / 3)  # 10 of 12 agree, half of them by chance
    (between,) = found.between
    assert (between.first, between.second, between.agreed.events) == ("station", "anna", 2)


async def test_the_report_is_written_as_html_and_json(tmp_path: Path) -> None:
    found = await figures(tmp_path)
    html, json = write_report(found, tmp_path / "report")
    assert StudyFigures.model_validate_json(json.read_text(encoding="utf-8")) == found
    text = html.read_text(encoding="utf-8")
    for words in ("unacceptable", "P5: 1 of 3 trials; lay it in again", "station and anna", "0.67"):
        assert words in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("part,reference\nP1,pits\n", "the first columns must be part_id and reference"),
        ("part_id,reference\nP1,rust\n", "line 2: rust is no verdict"),
        ("part_id,reference\nP1,pits\nP1,pits\n", "line 3: part P1 stands there twice"),
        ("part_id,reference,anna\nP1,pits\n", "line 2 has 2 values, the first line names 3"),
        ("part_id,reference,station\nP1,pits,pits\n", "no person may be called station"),
        ("part_id,reference\nP9,pits\n", "none has its 3 trials and a reference"),
    ],
)
def test_a_reference_that_cannot_be_used_is_refused(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "reference.csv"
    file.write_text(text, encoding="utf-8")
    trials = [{"part_id": "P1", "verdict": "pits"}] * 3
    with pytest.raises(LabelError) as caught:
        sheet_of(trials, read_given(file, VERDICTS), 3)
    assert caught.value.code == "label.study_unusable"
    assert words in caught.value.detail


async def test_the_commands_list_a_study_report_it_and_refuse_what_has_ended(tmp_path: Path) -> None:
    await figures(tmp_path)
    ledger = await open_ledger(tmp_path)
    await ledger.references.end(Study("spring", 3))
    await ledger.close()

    def run(*words: str) -> Result:
        return CliRunner().invoke(msa_app, [*words, "--data", str(tmp_path)])

    (study,) = json.loads(run("list", "--json").output)
    assert (study["name"], study["trials"]) == ("spring", 3)
    assert study["ended_at"] is not None
    given = ("--reference", str(tmp_path / "reference.csv"), "--out", str(tmp_path / "out"))
    assert "unacceptable by AIAG's criteria" in " ".join(run("report", "spring", *given).output.split())
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"msa.html", "msa.json"}
    for words, code in (
        (("report", "autumn", *given), "label.no_study"),
        (("begin", "spring"), "label.study_unusable"),
    ):
        assert getattr(run(*words).exception, "code", None) == code
