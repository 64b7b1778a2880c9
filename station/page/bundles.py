"""The networks as a person who answers for them sees them: which judge, which wait, which judged before. All blocks."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from models.manifest import Bundle, load_bundle
from models.release.gate_report import explain, read_report
from models.release.history import Entry
from models.release.shelf import PROMOTED, Shelf, chosen_bundle
from models.weights import SHIPPED, bundle_folder
from station.core.errors import ModelError, PageError, RecordError
from station.core.part import ModelIdentity
from station.core.settings import Settings
from station.core.sought import Sought
from station.host.bundles import find_shelf
from station.host.promise import card_of
from station.host.promoting import doubts
from station.host.recipes import bundle_names, require_fit
from station.page.desk import PageDesk
from station.page.waiting import Waiting, folders, waiting


@dataclass(frozen=True, slots=True)
class Judge:
    """Which network judges the parts of a type.

    Attributes:
        part_type: The type.
        configured: What the configuration says.
        next: What judges from the station's next start on; None where it cannot be used.
        problem: Why it cannot.
        last: What judged the last part of the type, its name and its hash; None before the first.
        last_at: When that part was entered.
    """

    part_type: str
    configured: str
    next: ModelIdentity | None
    problem: str
    last: ModelIdentity | None
    last_at: str

    @property
    def waits_for_start(self) -> bool:
        """Whether another one judged last than the one that judges from the next start on."""
        return self.last is not None and self.next is not None and self.last != self.next


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that is told of one bundle.

    Attributes:
        bundle: The bundle.
        card: Its model card, on which a promise that does not hold any more says so.
        gate: The gate's report on it, in lines; empty where there is none.
    """

    bundle: Bundle
    card: str
    gate: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Models:
    """All networks of a station.

    Attributes:
        judges: One a part type.
        present: The promoted one, or the shipped one before any was.
        waiting: Those that wait.
        earlier: Those that were used before, the last one first.
        history: Every decision, the last one first.
        doubts: What a person should know of the history, and of what the configuration makes of the promoted one.
    """

    judges: tuple[Judge, ...]
    present: ModelIdentity
    waiting: tuple[Waiting, ...]
    earlier: tuple[ModelIdentity, ...]
    history: tuple[Entry, ...]
    doubts: tuple[str, ...]


def models_of(desk: PageDesk) -> Models:
    """The networks of a station.

    Raises:
        ModelError: The history of promotions cannot be used.
        RecordError: The records cannot be read.
    """
    shelf = find_shelf(desk.settings, desk.folder)
    present, history = shelf.active(), tuple(reversed(shelf.history()))
    earlier = {name.sha256: name for entry in history for name in entry.names if name.sha256 != present.sha256}
    return Models(
        judges=tuple(_judges(desk, shelf)),
        present=present,
        waiting=tuple(waiting(desk, shelf, present)),
        earlier=tuple(earlier.values()),
        history=history,
        doubts=tuple(_doubts(desk, shelf)),
    )


def sheet(desk: PageDesk, sha256: str) -> Sheet:
    """All that is told of the bundle of this hash, wherever it lies.

    Raises:
        PageError: `page.no_such_model`: there is none.
        ModelError: The history of promotions cannot be used.
    """
    bundle, shelf = bundle_of(desk, sha256), find_shelf(desk.settings, desk.folder)
    return Sheet(bundle, card_of(bundle, desk.settings, desk.folder), _gate(shelf.verdict_of(sha256)))


def bundle_of(desk: PageDesk, sha256: str) -> Bundle:
    """The bundle of this hash, wherever it lies.

    Raises:
        PageError: `page.no_such_model`: there is none.
        ModelError: The history of promotions cannot be used.
    """
    shelf = find_shelf(desk.settings, desk.folder)
    for folder in (*folders(desk), *shelf.bundles(), bundle_folder(SHIPPED), *_configured(desk.settings)):
        with suppress(ModelError):
            bundle = load_bundle(folder)
            if bundle.identity.sha256 == sha256:
                return bundle
    raise PageError("page.no_such_model", f"there is no bundle of the hash {sha256[:12]}")


def _doubts(desk: PageDesk, shelf: Shelf) -> Iterator[str]:
    if unsealed := shelf.doubt():
        yield unsealed
    yield from doubts(desk.settings, desk.folder)


def _configured(settings: Settings) -> list[Path]:
    return [bundle_folder(name) for name in set(bundle_names(settings).values()) if name != PROMOTED]


def _judges(desk: PageDesk, shelf: Shelf) -> Iterator[Judge]:
    opened = cache(partial(chosen_bundle, shelf=shelf))
    for part_type, name in bundle_names(desk.settings).items():
        yield Judge(part_type, name, *_next(desk.settings, part_type, partial(opened, name)), *_last(desk, part_type))


def _next(settings: Settings, part_type: str, opened: Callable[[], Bundle]) -> tuple[ModelIdentity | None, str]:
    """What judges the parts of a type from the next start on, or why nothing can."""
    try:
        bundle = opened()
        require_fit(bundle, settings, part_type)
    except ModelError as error:
        return None, str(error)
    return bundle.identity, ""


def _last(desk: PageDesk, part_type: str) -> tuple[ModelIdentity | None, str]:
    """What judged the last part of a type that was judged, and when that came in."""
    try:
        for row in desk.records.search(Sought(part_type=part_type), None, 10).rows:
            record = desk.records.record(row.inspection_id)
            if record["model"] is not None:
                return ModelIdentity(record["model"], record["model_sha256"]), row.entered_at
    except RecordError as error:
        if error.code != "record.unknown":
            raise
    return None, ""


def _gate(report: Path) -> tuple[str, ...]:
    """The gate's report in lines; none where it has not judged the bundle."""
    return tuple(explain(read_report(report)[0])) if report.is_file() else ()
