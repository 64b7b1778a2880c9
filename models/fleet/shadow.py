"""What a network that was pulled would have decided of this cell's parts, and whether that is enough to let it in."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import Field, ValidationError

from models.fleet.places import INCOMING, SHADOW
from models.manifest import Bundle
from station.core.durable import make_folder, write_whole
from station.core.errors import ModelError
from station.core.section import Section


class Difference(Section):
    """A part that the two networks decide otherwise."""

    inspection_id: str
    part_id: str
    part_type: str
    entered_at: str
    present: str = Field(..., description="Verdict by the present network, or the reason why there is none.")
    new: str = Field(..., description="The same by the new one.")
    present_confidence: float | None = None
    new_confidence: float | None = None


class Shadow(Section):
    """What a network would have decided of this cell's parts."""

    format: int = Field(1, ge=1, le=1)
    bundle: str
    sha256: str
    present: tuple[str, ...] = Field(..., description="SHA-256 of each bundle that it was held against.")
    since: str = Field(..., description="Parts that were entered at this moment or later.")
    parts: int = Field(0, ge=0, description="Judged by both.")
    last: str = Field("", description="Id of the last inspection that was looked at.")
    differences: tuple[Difference, ...] = ()
    not_judged: dict[str, int] = Field(default_factory=dict, description="Scans that were left out, by reason.")

    def escapes(self, passing: str) -> int:
        """How many parts the new network passes and the present one does not."""
        return sum(one.new == passing for one in self.differences)

    def in_words(self, passing: str) -> str:
        """For people."""
        now, new = self.escapes(passing), sum(one.present == passing for one in self.differences)
        told = f"{self.bundle}: {self.parts} parts judged beside the present network, {len(self.differences)} otherwise"
        left = "".join(f"; {count} not judged: {why}" for why, count in sorted(self.not_judged.items()))
        return f"{told}: {now} it would pass that do not pass now, {new} it would not pass that do{left}"


def begin(bundle: Bundle, present: Iterable[str], since: str) -> Shadow:
    """Nothing judged yet."""
    identity = bundle.identity
    return Shadow(bundle=identity.name, sha256=identity.sha256, present=tuple(sorted(set(present))), since=since)


def read_shadow(path: Path) -> Shadow | None:
    """What was judged so far; None where nothing was.

    Raises:
        ModelError: `config.file_failed`: it cannot be read.
    """
    try:
        return Shadow.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise ModelError("config.file_failed", f"{path}: {error}") from error


def write_shadow(path: Path, shadow: Shadow) -> None:
    """Keep it.

    Raises:
        ModelError: `config.file_failed`.
    """
    try:
        make_folder(path.parent)
        write_whole(path, f"{shadow.model_dump_json(indent=1)}\n".encode())
    except OSError as error:
        raise ModelError("config.file_failed", f"{path}: {error.strerror}") from error


def demand_shadow(path: Path, sha256: str, present: Iterable[str], least: int) -> Shadow:
    """What a network did in the shadow, enough of it and beside what judges now.

    Raises:
        ModelError: `model.not_shadowed`.
    """
    shadow = read_shadow(path)
    how = "run `station model shadow`"
    if shadow is None or shadow.sha256 != sha256:
        raise ModelError("model.not_shadowed", f"it judged no part of this cell yet; {how}")
    if set(shadow.present) != set(present):
        raise ModelError("model.not_shadowed", f"it was held against another network than judges now; {how} anew")
    if shadow.parts < least:
        raise ModelError("model.not_shadowed", f"it judged {shadow.parts} of {least} parts; {how} on")
    return shadow


def shadow_of(models: Path, sha256: str) -> Path:
    """Where it is kept what a bundle would have decided, in a station's folder of models."""
    return models / SHADOW / f"{sha256}.json"


def came_in(models: Path, bundle: Path) -> bool:
    """Whether a bundle's folder is one of those that were pulled into a station's folder of models."""
    return bundle.resolve().is_relative_to((models / INCOMING).resolve())
