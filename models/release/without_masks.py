"""Parts of which only the class is known, as a release takes them: known by people, and found by the station."""

from collections.abc import Callable
from dataclasses import dataclass

from models.dataset.named import KnownScan, NamedScan, People
from models.evaluation.measuring.parts import Cutter, cutter_at_truth
from station.core.errors import ModelError, PartError
from station.core.geometry import Geometry
from station.core.part import Pixels


@dataclass(frozen=True, slots=True)
class WithoutMasks:
    """How parts without masks are known, and found on their scans.

    Attributes:
        people: What people say of them; None to go by the recordings alone.
        cutter_of: How the station makes patches of a scan for a network of a geometry.
    """

    people: People | None = None
    cutter_of: Callable[[Geometry], Cutter] = cutter_at_truth


TRUTH_ALONE = WithoutMasks()
"""Only parts with masks can be cut."""


def cutter_of_known(geometry: Geometry, ways: WithoutMasks) -> Cutter:
    """At the truth's columns where there is a truth, else as the station finds the part.

    What it gives raises ModelError where the station would refuse a scan, and ConfigError where it has no part type of
    this geometry.
    """
    at_truth = cutter_at_truth(geometry)

    def cut(image: Pixels, scan: KnownScan) -> Pixels:
        if not isinstance(scan, NamedScan):
            return at_truth(image, scan)
        try:
            return ways.cutter_of(geometry)(image, scan)
        except PartError as error:
            told = f"{scan.image_path}: the station refuses the scan of {scan.part_id}: {error}; give another part"
            raise ModelError("model.export_failed", told) from error

    return cut
