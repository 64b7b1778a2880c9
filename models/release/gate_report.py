"""What the gate found, as a document that is bound to the hashes of the two bundles."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from models.dataset.named import LeftOut
from models.evaluation.figures.paired import Paired
from models.evaluation.figures.rates import Rate
from models.evaluation.measuring.evaluation import told_unlisted
from models.manifest import Sha256
from station.core.choices import EngineName, Precision
from station.core.errors import ModelError
from station.core.part import ModelIdentity
from station.core.section import Section

NONE = "-"
Check = Literal["files", "classes", "golden", "escapes", "overkill", "parity", "screener"]


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a station judges, or a gate did: engine, arithmetic, least confidence; below that a part goes to review.

    `screener`: whether a bundle's screener, where it has one, is asked first.
    """

    engine: str
    precision: str
    min_confidence: float
    screener: bool = True

    def __str__(self) -> str:
        without = "" if self.screener else ", without a screener"
        return f"{self.engine} {self.precision}, review under {self.min_confidence:g}{without}"


class Contender(Section):
    """One of the two bundles."""

    name: str
    sha256: Annotated[Sha256 | None, Field(description="Of its manifest; None where it cannot be read.")]


class Counts(Section):
    """What one bundle did with the same parts."""

    escapes: Rate = Field(..., description="Defective parts passed, of all defective parts.")
    overkill: Rate = Field(..., description="Good parts not passed, of all good parts; those sent to review count.")
    wrong_class: int = Field(..., ge=0, description="Defective parts called defective, but of another class.")
    reviews: int = Field(..., ge=0, description="Parts of any truth sent to review.")
    parts: int = Field(..., ge=1, description="Parts judged.")


class Refusal(Section):
    """One reason against a bundle."""

    check: Check
    text: str


class GoldenSet(Section):
    """One recording of golden parts."""

    name: str
    sha256: Sha256 = Field(..., description="Of its list, its truth, its scans and masks, and of people's labels used.")


class Measured(Section):
    """The arithmetic behind the verdict."""

    golden: tuple[GoldenSet, ...] = Field(..., description="The golden recordings.")
    golden_parts: int = Field(..., ge=1)
    golden_wrong: tuple[str, ...] = Field(..., description="Golden parts that the new bundle judges wrongly.")
    tests: tuple[str, ...] = Field(..., description="Further recordings; their parts are counted, too.")
    engine: EngineName = Field(..., description="Engine on which both ran.")
    precision: Precision = Field(..., description="Arithmetic in which both ran.")
    min_confidence: float = Field(..., description="Least confidence; below it a part goes to review.")
    overkill_budget: float = Field(..., description="Share of good parts that need not pass.")
    new: Counts
    against: Annotated[Counts | None, Field(description="None where the present bundle cannot judge such parts.")]
    not_compared: Annotated[str, Field(description="Why it cannot; empty where it can.")] = ""
    paired: Annotated[
        tuple[Paired, ...], Field(description="The parts that only one of both has right; decides nothing.")
    ] = ()
    unlisted: dict[str, int] = Field({}, description="Parts by labels of no configured class; they count as defective.")
    left_out: Annotated[
        tuple[LeftOut, ...], Field(description="Parts of further recordings that are counted nowhere, and why.")
    ] = ()
    changed_parts: int = Field(
        ..., ge=0, description="Parts that the new bundle decides otherwise in this arithmetic than in f32."
    )
    screener: bool = Field(True, description="Whether a bundle's screener, where it has one, was asked first.")
    passed_alone: Annotated[
        tuple[str, ...], Field(description="Parts that the new bundle passes and its own network in f32 does not.")
    ] = ()
    escape_claim: float = Field(..., description="An escape rate that one would like to claim.")
    parts_for_claim: int = Field(
        ..., ge=1, description="Defective parts without one more escape that would prove it, with 95 %, one-sided."
    )

    @property
    def conditions(self) -> Conditions:
        """How both were judged."""
        return Conditions(self.engine, self.precision, self.min_confidence, self.screener)


class GateReport(Section):
    """The verdict on a bundle."""

    format: Literal[1] = 1
    created: datetime
    code_version: str
    passed: bool
    refusals: tuple[Refusal, ...] = Field(..., description="Why it may not go in; empty where it may.")
    new: Contender
    against: Contender
    measured: Annotated[Measured | None, Field(description="None where the new bundle could not be run.")]
    promised: Annotated[tuple[str, ...], Field(description="What is promised of the new bundle, in sentences.")] = ()

    def demand(self, candidate: ModelIdentity, present: ModelIdentity, station: Conditions | None) -> None:
        """Make sure that this report lets one bundle replace another.

        Args:
            candidate: The bundle that is to come.
            present: The one that is promoted now.
            station: How the station will judge; None where any way will do.

        Raises:
            ModelError: `model.not_passed`: it refuses, speaks of other bundles, or of another way of judging.
        """
        problem = self._problem(candidate, present) or self._judged_otherwise(station)
        if problem:
            raise ModelError("model.not_passed", problem)

    def _judged_otherwise(self, station: Conditions | None) -> str:
        if station is None or self.measured is None or self.measured.conditions == station:
            return ""
        return f"the gate judged by {self.measured.conditions}; the configuration says {station}: run the gate with it"

    def _problem(self, candidate: ModelIdentity, present: ModelIdentity) -> str:
        if self.new.sha256 != candidate.sha256:
            return f"the report is on {self.new.name} {self.new.sha256}, not on {candidate.name} {candidate.sha256}"
        if self.against.sha256 != present.sha256:
            return (
                f"the report compares with {self.against.name} {self.against.sha256}, "
                f"but {present.name} {present.sha256} is promoted now"
            )
        if not self.passed or self.refusals:
            return "the gate refused it: " + "; ".join(refusal.text for refusal in self.refusals)
        return ""


def read_report(path: Path) -> tuple[GateReport, bytes]:
    """A report, and the file's content.

    Raises:
        ModelError: `model.not_passed`: there is none, or it is no report.
    """
    try:
        text = path.read_bytes()
        return GateReport.model_validate_json(text), text
    except FileNotFoundError as error:
        raise ModelError("model.not_passed", f"no report {path}: {error.strerror}") from error
    except OSError as error:
        raise ModelError("config.file_failed", f"{path}: {error.strerror}") from error
    except ValidationError as error:
        raise ModelError("model.not_passed", f"{path} is no report of the gate: {error.errors()[0]['msg']}") from error


def explain(report: GateReport) -> list[str]:
    """The report in lines for people: the arithmetic, then the verdict and its reasons."""
    lines = [f"new      {report.new.name}  {report.new.sha256 or 'unreadable'}"]
    lines.append(f"against  {report.against.name}  {report.against.sha256}")
    if report.measured is not None:
        lines += ["", *_arithmetic(report.measured)]
    lines += ["", *report.promised] if report.promised else []
    lines += ["", "PASSED" if report.passed else "REFUSED"]
    return lines + [f"  {refusal.check}: {refusal.text}" for refusal in report.refusals]


def _arithmetic(measured: Measured) -> list[str]:
    new, against = measured.new, measured.against
    where = ", ".join((*(recording.name for recording in measured.golden), *measured.tests))
    golden, claim = measured.golden_parts, measured.escape_claim
    rows = (
        ("golden parts right", f"{golden - len(measured.golden_wrong)} of {golden}"),
        ("escapes", f"new {spell(new.escapes)}; present {spell(against.escapes) if against else NONE}"),
        ("overkill", f"new {spell(new.overkill)}; present {spell(against.overkill) if against else NONE}"),
        ("overkill budget", f"{measured.overkill_budget:.2%}"),
        ("wrong class", f"new {new.wrong_class}; present {against.wrong_class if against else NONE}"),
        ("review", f"new {new.reviews}; present {against.reviews if against else NONE}"),
        *((f"only one: {one.what}", _spell_paired(one)) for one in measured.paired),
        ("decided as in f32", f"{new.parts - measured.changed_parts} of {new.parts}"),
        ("passed alone", f"{len(measured.passed_alone)} of {new.parts}"),
        (
            f"to claim {claim:.1%} escapes",
            f"{measured.parts_for_claim} defective parts with {new.escapes.events} escapes",
        ),
    )
    told = [f"not compared with the present bundle: {measured.not_compared}"] if measured.not_compared else []
    heading = f"{new.parts} parts ({where}), {measured.conditions}"
    if measured.unlisted:
        told.append(told_unlisted(measured.unlisted))
    left_out = [f"left out: {part}" for part in measured.left_out]
    return [heading, *told, *(f"{name:<26}{said}" for name, said in rows), *left_out]


def _spell_paired(paired: Paired) -> str:
    return f"new {paired.only_new}; present {paired.only_present}; p = {paired.p:.2g} (McNemar, exact)"


def spell(rate: Rate) -> str:
    """A rate with its exact limits of 95 %."""
    share = "-" if rate.share is None else f"{rate.share:.2%}"
    return f"{rate.events} of {rate.trials} = {share} ({rate.lower:.2%} to {rate.upper:.2%})"
