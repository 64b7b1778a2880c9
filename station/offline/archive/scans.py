"""What there is in a folder: the scans of a station's archive with what was decided of them, recordings, and images.

What there is in a store is in `station.offline.archive.bucket`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from station.core.errors import RecordError, RecordingError
from station.core.records import JsonObject
from station.core.settings import Settings
from station.host.records import read_records
from station.offline.inspect import NotInspected, Wanted, wanted_images

ARCHIVE = "archive"
"""Where in a station's data folder its scans lie."""
DAY = re.compile(r"\d{4}/\d{2}/\d{2}")
"""How the folders below it are named."""
NO_IMAGE = "recording.not_found"
OF_THE_FOLDER = frozenset({NO_IMAGE, "config.file_failed"})
"""What is wrong with a folder as a whole, and with no scan of it."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was decided of a part when it was inspected.

    Attributes:
        verdict: The final one, by name; None where the inspection never came to one.
        reason: The fault's code for which it went to review; None without.
        confidence: 0 to 1; None where nothing was scored.
        passes: Whether the part was good.
        model_sha256: Of the network that judged; None where none did.
    """

    verdict: str | None
    reason: str | None
    confidence: float | None
    passes: bool
    model_sha256: str | None


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan of a source.

    Attributes:
        wanted: The image, or what of the source is none.
        address: Of an object, `s3://BUCKET/KEY`; None where it is a file.
        date: When it was taken, YYYY-MM-DD, UTC: from the records, from the archive's folders, or else the day on which
            the file was last written.
        sha256: Of the file's content, as the records know it; None where nobody has hashed it.
        part_id: The part's; None where nobody knows.
        inspection_id: The inspection's; None where there is no record of it.
        entered_at: When the inspection began, as `station.core.moments` writes it; None without a record.
        recorded: What was decided then; None without a record.
    """

    wanted: Wanted | NotInspected
    date: str
    sha256: str | None = None
    part_id: str | None = None
    inspection_id: str | None = None
    entered_at: str | None = None
    recorded: Recorded | None = None
    address: str | None = None

    @property
    def place(self) -> str:
        """Where it lies, as its row has it: bytes of a file's name that are no text are written out."""
        return readable(self.address or str(self.wanted.file))


def readable(text: str) -> str:
    """A text that Parquet takes: of a name that is no UTF-8 the strange bytes are written out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def scans_in(source: Path, settings: Settings) -> Iterator[Scan]:
    """The scans of a folder, the oldest first where that is known.

    Args:
        source: A station's data folder, with its records; an archive without them, as folders YYYY/MM/DD; a recording;
            a folder of images; or one image.
        settings: Part types, which a recording may announce, and classes, which records may name.

    Raises:
        RecordError: The records cannot be read.
        RecordingError: There is no such folder or file, or nothing in it that could be a scan.
    """
    if not source.exists():
        raise RecordingError(NO_IMAGE, f"{source}: there is no such folder or file")
    archive = source / ARCHIVE
    if archive.is_dir():
        try:
            yield from [_of_record(record, source, settings) for record in read_records(settings, source).archived()]
            return
        except RecordError as error:
            if error.code != "record.unknown":
                raise
    folder = archive if archive.is_dir() else source
    if days := _days(folder):
        yield from _of_days(folder, days, settings)
        return
    for one in wanted_images([folder], settings):
        if isinstance(one, NotInspected) and one.error.code in OF_THE_FOLDER:
            raise one.error
        yield Scan(one, _written_on(one.file))


def _of_days(folder: Path, days: Sequence[Path], settings: Settings) -> Iterator[Scan]:
    for day in days:
        date = day.relative_to(folder).as_posix().replace("/", "-")
        for one in wanted_images([day], settings):
            if isinstance(one, Wanted):
                yield Scan(one, date, inspection_id=one.file.stem)
            elif one.error.code != NO_IMAGE:  # from a day without an image all have gone
                yield Scan(one, date)


def _of_record(record: JsonObject, data: Path, settings: Settings) -> Scan:
    verdict = record["verdict"]
    recorded = Recorded(
        verdict=verdict,
        reason=record["reason"],
        confidence=record["confidence"],
        passes=verdict == settings.table.passing.name,
        model_sha256=record["model_sha256"],
    )
    return Scan(
        wanted=Wanted(data / record["scan_file"], record["part_type"]),
        date=record["entered_at"][:10],
        sha256=record["scan_sha256"],
        part_id=record["part_id"],
        inspection_id=record["inspection_id"],
        entered_at=record["entered_at"],
        recorded=recorded,
    )


def _days(folder: Path) -> list[Path]:
    """The folders of days in an archive, the oldest first; none where it is no archive."""
    if not folder.is_dir():
        return []
    found = sorted(folder.glob("[0-9]*/[0-9]*/[0-9]*"))
    return [day for day in found if day.is_dir() and DAY.fullmatch(day.relative_to(folder).as_posix())]


def _written_on(file: Path) -> str:
    try:
        moment = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except (OSError, OverflowError, ValueError):  # it is gone, or its file system tells a time that is none
        moment = datetime.fromtimestamp(0, UTC)
    return f"{moment:%Y-%m-%d}"
