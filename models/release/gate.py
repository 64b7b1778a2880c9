"""The gate: whether a new bundle may replace the present one. Runs both on the same parts; needs no torch.

A new bundle is refused when one of its files was changed, its classes are not the configured ones, it judges a golden
part wrongly, lets more defects escape than the present one, rejects more good parts than the budget allows, or decides
otherwise in the station's arithmetic than the network it was made from, or passes a part, by its screener or for
whatever reason, that its own network in f32 does not pass. Where the present bundle answers other classes,
or takes other scans, there is nothing to compare with: then no defect may escape at all.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.dataset.named import KnownParts, KnownScan, LeftOut, People, read_image, read_known, require_all
from models.dataset.scans import hash_recording
from models.evaluation.figures.paired import Paired, compare_paired
from models.evaluation.figures.rates import rate, sample_size
from models.evaluation.measuring.parts import (
    Cutter,
    JudgedPart,
    NoveltyOf,
    PassesFrom,
    Rule,
    any_pass,
    judge_image,
    nothing_known,
    true_labels,
)
from models.evaluation.measuring.scorers import Scorer
from models.manifest import Bundle, Manifest, Parity, load_bundle, utc_now
from models.meaning import check_classes, meaning_of
from models.promise.words import said
from models.release.gate_report import Check, Contender, Counts, GateReport, GoldenSet, Measured, Refusal, spell
from models.release.parity import MAX_CHANGED_SHARE, is_broken
from models.release.runners import Asked, open_variant
from models.version import code_version
from station.core.choices import EngineName, Precision
from station.core.errors import ModelError
from station.core.geometry import Geometry
from station.core.verdicts import Classes

ESCAPE_CLAIM, CLAIM_CONFIDENCE = 0.001, 0.95
"""What a report says how many parts are needed for: at most one escape in a thousand defective parts, one-sided.

Nothing is refused by it. One in a thousand was chosen: with no escape it takes 2,995 defective parts, about the most
that a line collects and people label; a tenth of it would take 29,956. 95 % is the confidence of a90/95 in the reports.
Source of the arithmetic: `models.evaluation.figures.rates`. Chosen 2026-11-21.
"""
FILE_CHECKS: dict[str, Check] = {
    "model.missing": "files",
    "model.wrong_hash": "files",
    "model.bad_manifest": "classes",
    "model.wrong_classes": "classes",
    "model.engine_failed": "files",
    "model.screener_unproven": "screener",
}
"""Which check a bundle fails that cannot be used."""


def knows_nothing(_scorer: Scorer) -> NoveltyOf:
    """No part counts as unknown, whatever the network."""
    return nothing_known


def promises_nothing(_scorer: Scorer) -> PassesFrom:
    """Parts pass from the usual confidence on, whatever the network."""
    return any_pass


@dataclass(frozen=True, slots=True)
class Terms:
    """How bundles are compared.

    Attributes:
        engine: Engine of the station.
        precision: Arithmetic of the station.
        table: Classes of the station.
        min_confidence: Least confidence of the station.
        overkill_budget: Share of good parts that need not pass, 0 to 1.
        cutter_of: How the station makes patches of a scan for a network of a geometry, and of the light that it knows.
        people: What people say of parts, beside what recordings say; None to ask nobody.
        novelty_of: From when on the station takes parts for unknown by a network.
        passes_from: With what confidence the station lets parts pass by a network, where more is promised of it.
        screener: Whether the station asks a bundle's screener first.
    """

    engine: EngineName
    precision: Precision
    table: Classes
    min_confidence: float
    overkill_budget: float
    cutter_of: Callable[[Geometry, float | None], Cutter]
    people: People | None = None
    novelty_of: Callable[[Scorer], NoveltyOf] = knows_nothing
    passes_from: Callable[[Scorer], PassesFrom] = promises_nothing
    screener: Asked = "first"

    def rule_of(self, bundle: Bundle) -> Rule:
        """How parts are judged by a bundle.

        Raises:
            ModelError: `model.wrong_classes`.
            ConfigError: The station has no such geometry.
        """
        check_classes(bundle.manifest, self.table)
        manifest = bundle.manifest
        meaning = meaning_of(manifest.classes, self.table, bundle.identity.name)
        cutter = self.cutter_of(manifest.layout, bundle.light_level)
        return Rule(meaning, manifest.layout, self.min_confidence, cutter)

    def with_guard(self, rule: Rule, scorer: Scorer) -> Rule:
        """The same rule, with what a network that is open says of unknown parts, and what is promised of it."""
        return replace(rule, novelty_of=self.novelty_of(scorer), passes_from=self.passes_from(scorer))

    def known(self, folder: Path, geometry: Geometry) -> KnownParts:
        """The parts of a recording whose classes are known, as a network of a geometry takes them.

        Raises:
            RecordingError: It cannot be used, or of no part is it known.
            LabelError: What people say cannot be read.
        """
        return read_known(folder, self.table, geometry.lines_per_turn, self.people)


@dataclass(frozen=True, slots=True)
class Trial:
    """Both bundles' judgements of the same parts, in the same order; `new_wide` is the new one in f32.

    `against` is empty where the present bundle cannot judge them; `not_compared` then says why.
    """

    new: tuple[JudgedPart, ...]
    new_wide: tuple[JudgedPart, ...]
    against: tuple[JudgedPart, ...]
    golden: int
    not_compared: str


@dataclass(frozen=True, slots=True)
class Sets:
    """What both are judged on.

    Attributes:
        golden: Recordings of golden parts, with their hashes.
        tests: Names of further recordings.
        left_out: Parts of these whose class is not known.
    """

    golden: tuple[GoldenSet, ...]
    tests: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def judge_candidate(
    candidate: Path, against: Bundle, golden: Sequence[Path], tests: Sequence[Path], terms: Terms
) -> GateReport:
    """Run the gate; takes about a second for two parts, and more on a busy machine.

    Args:
        candidate: Folder of the new bundle.
        against: The present bundle.
        golden: Recordings of the golden parts: of every one the class must be known, and has to be judged rightly.
        tests: Further recordings; their parts are counted, but no single part decides, and those are left out whose
            class is not known.
        terms: How to compare.

    Raises:
        RecordingError: A recording cannot be read, or a golden part has no class.
        ModelError: The present bundle cannot be run.
        ConfigError: The station has another geometry than the new bundle.
    """
    try:
        bundle = load_bundle(candidate)
        rule = terms.rule_of(bundle)
        engines = (
            open_variant(bundle, terms.engine, terms.precision, terms.screener),
            open_variant(bundle, terms.engine, "f32"),
        )
    except ModelError as error:
        refusal = Refusal(check=FILE_CHECKS.get(error.code, "files"), text=f"{error.code}: {error.detail}")
        return _report(Contender(name=candidate.name, sha256=None), against, (refusal,), None)
    golden_parts = [require_all(terms.known(folder, rule.geometry), folder) for folder in golden]
    test_parts = [terms.known(folder, rule.geometry) for folder in tests]
    judges = [(engine, terms.with_guard(rule, engine)) for engine in engines]
    if not (not_compared := _incomparable(against, rule, terms)):
        present = open_variant(against, terms.engine, terms.precision, terms.screener)
        judges.append((present, terms.with_guard(terms.rule_of(against), present)))
    scans = [scan for known in (*golden_parts, *test_parts) for scan in known.scans]
    trial = _try(judges, scans, sum(len(known.scans) for known in golden_parts), not_compared)
    left_out = tuple(part for known in test_parts for part in known.left_out)
    sets = Sets(_sealed(golden, golden_parts, terms), tuple(folder.name for folder in tests), left_out)
    measured = _measure(trial, sets, terms)
    refusals = (*_refusals(measured), *_parity_refusals(bundle.manifest, measured))
    new = Contender(name=bundle.identity.name, sha256=bundle.identity.sha256)
    report = _report(new, against, refusals, measured)
    return report.model_copy(update={"promised": tuple(said(bundle.manifest.promises))})


def _sealed(folders: Sequence[Path], known: Sequence[KnownParts], terms: Terms) -> tuple[GoldenSet, ...]:
    """Golden recordings with the hash of all in them, and of what people say of them where they are asked."""
    hashes = [hash_recording(folder) for folder in folders]
    if terms.people:
        hashes = [
            hashlib.sha256(f"{sha256}{one.sha256}".encode()).hexdigest()
            for sha256, one in zip(hashes, known, strict=True)
        ]
    return tuple(GoldenSet(name=folder.name, sha256=sha256) for folder, sha256 in zip(folders, hashes, strict=True))


def _incomparable(against: Bundle, rule: Rule, terms: Terms) -> str:
    """Why the present bundle cannot judge the same parts; empty where it can."""
    if against.manifest.layout != rule.geometry:
        return f"{against.identity.name} takes {against.manifest.layout}, the new one {rule.geometry}"
    try:
        check_classes(against.manifest, terms.table)
    except ModelError as error:
        if error.code != "model.wrong_classes":
            raise
        return error.detail
    return ""


def _try(judges: Sequence[tuple[Scorer, Rule]], scans: Sequence[KnownScan], golden: int, not_compared: str) -> Trial:
    """Judge every part by the new bundle, by the same in f32 and, where it is given, by the present one."""
    judged: list[list[JudgedPart]] = [[] for _ in judges]
    for scan in scans:
        image = read_image(scan)
        for parts, (scorer, rule) in zip(judged, judges, strict=True):
            parts.append(judge_image(scorer, image, scan, true_labels(scan, rule), rule))
    new, wide, *rest = (tuple(parts) for parts in judged)
    return Trial(new, wide, rest[0] if rest else (), golden, not_compared)


def count(parts: Sequence[JudgedPart]) -> Counts:
    """What a bundle did with parts."""
    defective = [part for part in parts if part.truth.is_defect]
    good = [part for part in parts if part.truth.passes]
    called_defective = [part for part in defective if part.verdict.is_defect]
    return Counts(
        escapes=rate(sum(part.escaped for part in defective), len(defective)),
        overkill=rate(sum(not part.right for part in good), len(good)),
        wrong_class=sum(not part.right for part in called_defective),
        reviews=sum(part.verdict.is_review for part in parts),
        parts=len(parts),
    )


def _measure(trial: Trial, sets: Sets, terms: Terms) -> Measured:
    new = count(trial.new)
    pairs = list(zip(trial.new_wide, trial.new, strict=True))
    return Measured(
        golden=sets.golden,
        golden_parts=trial.golden,
        golden_wrong=tuple(_miss(part) for part in trial.new[: trial.golden] if not _as_expected(part)),
        tests=sets.tests,
        left_out=sets.left_out,
        engine=terms.engine,
        precision=terms.precision,
        min_confidence=terms.min_confidence,
        overkill_budget=terms.overkill_budget,
        new=new,
        against=count(trial.against) if trial.against else None,
        not_compared=trial.not_compared,
        paired=_paired(trial),
        unlisted=Counter(part.truth.name for part in trial.new if part.unlisted),
        changed_parts=sum(wide.verdict != narrow.verdict for wide, narrow in pairs),
        screener=terms.screener == "first",
        passed_alone=tuple(
            _miss(narrow) for wide, narrow in pairs if narrow.verdict.passes and not wide.verdict.passes
        ),
        escape_claim=ESCAPE_CLAIM,
        parts_for_claim=sample_size(ESCAPE_CLAIM, new.escapes.events, CLAIM_CONFIDENCE),
    )


def _as_expected(part: JudgedPart) -> bool:
    """Whether a golden part is judged rightly; one of no configured class has to be stopped, by whatever verdict."""
    return not part.verdict.passes if part.unlisted else part.right


def _paired(trial: Trial) -> tuple[Paired, ...]:
    """Whether the parts that only one of the two has right speak for a difference; nothing of one alone."""
    if not trial.against:
        return ()
    pairs = list(zip(trial.new, trial.against, strict=True))
    defective = [(new, present) for new, present in pairs if new.truth.is_defect]
    return (
        compare_paired("judged rightly", ((new.right, present.right) for new, present in pairs)),
        compare_paired("defects stopped", ((not new.escaped, not present.escaped) for new, present in defective)),
    )


def _miss(part: JudgedPart) -> str:
    return f"{part.scan.part_id} is {part.truth.name}, judged {part.verdict.name} ({part.confidence:.3f})"


def _refusals(measured: Measured) -> Iterator[Refusal]:
    new, against, budget = measured.new, measured.against, measured.overkill_budget
    for miss in measured.golden_wrong:
        yield Refusal(check="golden", text=f"golden part {miss}")
    if new.escapes.events > (against.escapes.events if against else 0):
        present = f"the present bundle {spell(against.escapes)}" if against else measured.not_compared
        yield Refusal(check="escapes", text=f"{spell(new.escapes)}; {present}")
    if new.overkill.share is not None and new.overkill.share > budget:
        yield Refusal(check="overkill", text=f"{spell(new.overkill)}; the budget is {budget:.2%}")
    for miss in measured.passed_alone:
        yield Refusal(check="screener", text=f"{miss}, which its own network in f32 does not pass")
    if measured.changed_parts > MAX_CHANGED_SHARE * new.parts:
        yield Refusal(
            check="parity",
            text=f"in {measured.precision} {measured.changed_parts} of {new.parts} parts are decided otherwise than in "
            f"f32; {MAX_CHANGED_SHARE:.1%} may be",
        )


def _parity_refusals(manifest: Manifest, measured: Measured) -> Iterator[Refusal]:
    """What the manifest says of this artefact against the torch network."""
    own = [one for one in manifest.parity if (one.engine, one.precision) == (measured.engine, measured.precision)]
    if not own:
        text = f"the manifest has no parity of {measured.engine} {measured.precision} with the torch network"
        yield Refusal(check="parity", text=text)
    for parity in own:
        if is_broken(parity):
            yield Refusal(check="parity", text=_spell_parity(parity))


def _spell_parity(parity: Parity) -> str:
    return (
        f"{parity.engine} {parity.precision} decides {parity.changed_parts} of {parity.parts} {parity.kind} of "
        f"{parity.source} otherwise than the torch network; {MAX_CHANGED_SHARE:.1%} may be"
    )


def _report(new: Contender, against: Bundle, refusals: tuple[Refusal, ...], measured: Measured | None) -> GateReport:
    return GateReport(
        created=utc_now(),
        code_version=code_version(),
        passed=not refusals,
        refusals=refusals,
        new=new,
        against=Contender(name=against.identity.name, sha256=against.identity.sha256),
        measured=measured,
    )
