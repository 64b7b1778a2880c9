"""The figures of a study, after the attribute agreement analysis of AIAG.

Effectiveness counts parts of which every trial is right; misses and false alarms count trials, as the manual does.
Right means that what must not pass did not, and what is good did; which defect it was called is for the class kappa.
Source: AIAG, Measurement Systems Analysis, 4th edition (2010), chapter III section C: method, criteria and example.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import combinations
from typing import Literal

import numpy as np
from pydantic import Field

from models.evaluation.figures.agreement import Kappa, Ratings, cohen, fleiss, with_limits
from models.evaluation.figures.rates import Rate, rate
from station.core.section import Section
from station.offline.msa.sheet import Said, Sheet

Opinion = Literal["acceptable", "marginal", "unacceptable"]
CRITERIA: tuple[tuple[Opinion, float, float, float], ...] = (
    ("acceptable", 0.9, 0.02, 0.05),
    ("marginal", 0.8, 0.05, 0.1),
)
"""Least effectiveness, most misses, most false alarms; what meets neither is unacceptable."""


class AppraiserFigures(Section):
    """How well one agrees with itself and with the reference."""

    name: str = Field(..., description="Who: the station, or a person.")
    trials: int = Field(..., ge=1, description="How often each part was judged.")
    within: Rate | None = Field(..., description="Parts of which all trials said the same; None of a single trial.")
    within_kappa: Kappa | None = Field(
        ..., description="Fleiss' kappa of the trials, by class; None of a single trial."
    )
    effectiveness: Rate = Field(..., description="Parts of which all trials are right.")
    miss: Rate = Field(..., description="Trials of defective parts that said they pass.")
    missed_parts: Rate = Field(..., description="Defective parts that passed in any trial.")
    false_alarm: Rate = Field(..., description="Trials of good parts that did not say so, review among them.")
    kappa: Kappa = Field(..., description="Cohen's kappa with the reference: passes or not.")
    class_kappa: Kappa = Field(..., description="Cohen's kappa with the reference, by class.")
    opinion: Opinion = Field(..., description="By AIAG's criteria for effectiveness, misses and false alarms.")


class Between(Section):
    """How well two agree with each other."""

    first: str = Field(..., description="One.")
    second: str = Field(..., description="The other.")
    agreed: Rate = Field(..., description="Parts of which all trials of both said the same: passes or not.")
    kappa: Kappa = Field(..., description="Cohen's kappa, trial against trial: passes or not.")


class StudyFigures(Section):
    """The whole study."""

    name: str = Field(..., description="Of the study.")
    created: datetime = Field(..., description="When this was computed, UTC.")
    trials: int = Field(..., ge=2, description="Trials of each part.")
    parts: int = Field(..., ge=1, description="Parts that count.")
    defective: int = Field(..., ge=0, description="How many of them must not pass.")
    broken_off: dict[str, int] = Field(..., description="Parts with fewer trials, which do not count, and how many.")
    without_reference: list[str] = Field(..., description="Parts that nobody says anything of; they do not count.")
    not_judged: list[str] = Field(..., description="Parts of the reference that were never laid in.")
    appraisers: list[AppraiserFigures] = Field(..., description="The station first.")
    between: list[Between] = Field(..., description="Every two of them.")


def figures_of(
    name: str, sheet: Sheet, passing: str, verdicts: Collection[str], trials: int, now: datetime
) -> StudyFigures:
    """What a sheet comes to.

    Args:
        name: Of the study.
        sheet: Who said what.
        passing: Name of the one verdict with which a part is good.
        verdicts: Names of all.
        trials: Of each part.
        now: The date.
    """
    numbers = {verdict: number for number, verdict in enumerate(sorted(verdicts))}
    ratings = {who: _ratings(said, sheet, numbers) for who, said in sheet.appraisers.items()}
    truth = np.array([[numbers[sheet.reference[part]]] for part in sheet.parts], np.intp)
    judging = _Judging(truth, numbers[passing], len(numbers))
    return StudyFigures(
        name=name,
        created=now,
        trials=trials,
        parts=len(sheet.parts),
        defective=int((truth != numbers[passing]).sum()),
        broken_off=dict(sheet.broken_off),
        without_reference=list(sheet.without_reference),
        not_judged=list(sheet.not_judged),
        appraisers=[judging.appraiser(who, said) for who, said in ratings.items()],
        between=[
            judging.between(one, other, ratings)
            for one, other in combinations(ratings, 2)
            if ratings[one].shape == ratings[other].shape
        ],
    )


class _Judging:
    """The figures against one reference.

    Args:
        truth: (parts, 1): number of what each part is.
        passing: Number of the one that passes.
        categories: How many there are.
    """

    def __init__(self, truth: Ratings, passing: int, categories: int) -> None:
        self._truth = truth
        self._passing = passing
        self._categories = categories

    def appraiser(self, name: str, said: Ratings) -> AppraiserFigures:
        """How well one agrees with itself and with the reference."""
        bad, stopped = self._stopped(self._truth), self._stopped(said)
        truth = np.broadcast_to(self._truth, said.shape)
        right = (stopped == bad).all(axis=1)
        defective = bad[:, 0] == 1
        effectiveness = rate(int(right.sum()), len(said))
        miss = rate(int((stopped[defective] == 0).sum()), stopped[defective].size)
        false_alarm = rate(int(stopped[~defective].sum()), stopped[~defective].size)
        repeated = said.shape[1] > 1
        same = (said == said[:, :1]).all(axis=1)
        return AppraiserFigures(
            name=name,
            trials=said.shape[1],
            within=rate(int(same.sum()), len(said)) if repeated else None,
            within_kappa=with_limits(fleiss, said, categories=self._categories) if repeated else None,
            effectiveness=effectiveness,
            miss=miss,
            missed_parts=rate(int((stopped[defective] == 0).any(axis=1).sum()), int(defective.sum())),
            false_alarm=false_alarm,
            kappa=with_limits(cohen, stopped, self._stopped(truth), categories=2),
            class_kappa=with_limits(cohen, said, truth, categories=self._categories),
            opinion=opinion_of(effectiveness, miss, false_alarm),
        )

    def between(self, first: str, second: str, ratings: Mapping[str, Ratings]) -> Between:
        """How well two agree with each other."""
        one, other = self._stopped(ratings[first]), self._stopped(ratings[second])
        both = np.concatenate((one, other), axis=1)
        agreed = (both == both[:, :1]).all(axis=1)
        kappa = with_limits(cohen, one, other, categories=2)
        return Between(first=first, second=second, agreed=rate(int(agreed.sum()), len(both)), kappa=kappa)

    def _stopped(self, ratings: Ratings) -> Ratings:
        """1 for what does not pass."""
        return np.asarray(ratings != self._passing, np.intp)


def opinion_of(effectiveness: Rate, miss: Rate, false_alarm: Rate) -> Opinion:
    """What AIAG's criteria say; a rate without trials is held against nobody."""
    for opinion, least, misses, alarms in CRITERIA:
        enough = (effectiveness.share or 0.0) >= least
        if enough and (miss.share or 0.0) <= misses and (false_alarm.share or 0.0) <= alarms:
            return opinion
    return "unacceptable"


def _ratings(said: Said, sheet: Sheet, numbers: Mapping[str, int]) -> Ratings:
    return np.array([[numbers[verdict] for verdict in said[part]] for part in sheet.parts], np.intp)
