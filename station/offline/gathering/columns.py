"""Where the part lies on a scan of which nobody wrote it down: as the station's own crop finds it."""

from station.core.errors import PartError, RecordingError
from station.core.part import Roi
from station.core.recording import read_scan
from station.offline.cropping import columns_of, kind_of, proofs_of
from station.offline.gathering.terms import NotLearntError, Terms
from station.offline.inspect import Wanted

OTHER_GEOMETRY = "it is cut into other patches"
NO_SCAN = "it is no scan that can be used"
REFUSED = "the station would not judge it"


def find_columns(wanted: Wanted, terms: Terms) -> Roi:
    """The part's columns on a scan.

    Args:
        wanted: The scan, and the type that it is of, if anybody said.
        terms: The types that parts may be of, and the geometry that the patches are to have.

    Raises:
        NotLearntError: It is no scan, of another geometry, or the station would refuse it.
    """
    settings = terms.settings
    kinds = [kind for kind in settings.known_types if wanted.part_type in {None, kind.name}]
    if not kinds:
        raise NotLearntError(OTHER_GEOMETRY, f"part_types has no {wanted.part_type}")
    kinds = [kind for kind in kinds if kind.geometry == terms.geometry]
    if not kinds:
        raise NotLearntError(OTHER_GEOMETRY, f"{wanted.part_type} is not of {terms.geometry}")
    try:
        image = read_scan(wanted.file, {terms.geometry.lines_per_turn})
        kind = kinds[0] if len(kinds) == 1 else kind_of(image, kinds, settings.crop)
        return columns_of(image, kind, settings.crop, proofs_of(wanted, settings.turn))
    except RecordingError as error:
        raise NotLearntError(NO_SCAN, error.detail) from error
    except PartError as error:
        raise NotLearntError(REFUSED, f"{error.code}, {error.detail}") from error
