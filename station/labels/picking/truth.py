"""What the labels say of whole parts: good, defective, or not clear."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from station.labels.agreement import Finding, findings
from station.labels.label import CANNOT_BE_JUDGED, InspectionSubject, Label, ScanSubject, Subject, WholePart
from station.labels.picking.candidate import Candidate


class Truth(StrEnum):
    """What people say of a part: unclear where they differ, or say that it cannot be judged."""

    GOOD = "good"
    DEFECTIVE = "defective"
    UNCLEAR = "unclear"


class Truths:
    """What is known of parts.

    A label of the whole part says it; where there is none, one defect anywhere makes it defective. That some places are
    good says nothing of the whole.

    Args:
        labels: Everything that was ever said.
        passing: The class of good parts.
    """

    def __init__(self, labels: Iterable[Label], passing: str) -> None:
        self._passing = passing
        self._of: Mapping[Subject, Truth] = self._gathered(findings(labels))

    def of(self, candidate: Candidate) -> Truth | None:
        """What is said of a part's inspection, or of its scan's file; None where nothing is."""
        return self._said_of(InspectionSubject(candidate.inspection_id), ScanSubject(candidate.sha256))

    def of_inspection(self, inspection_id: str) -> Truth | None:
        """What is said of an inspection; None where nothing is."""
        return self._said_of(InspectionSubject(inspection_id))

    def _said_of(self, *subjects: Subject) -> Truth | None:
        said = {self._of[subject] for subject in subjects if subject in self._of}
        if not said:
            return None
        return said.pop() if len(said) == 1 else Truth.UNCLEAR

    def _gathered(self, found: Iterable[Finding]) -> Mapping[Subject, Truth]:
        places: dict[Subject, Truth] = {}
        wholes: dict[Subject, Truth] = {}
        for finding in found:
            truth = self._truth(finding)
            if isinstance(finding.region, WholePart):
                wholes[finding.subject] = truth
            elif truth is Truth.DEFECTIVE:
                places[finding.subject] = truth
        return {**places, **wholes}

    def _truth(self, finding: Finding) -> Truth:
        said = set(finding.classes)
        if said == {self._passing}:
            return Truth.GOOD
        return Truth.UNCLEAR if said & {self._passing, CANNOT_BE_JUDGED} else Truth.DEFECTIVE
