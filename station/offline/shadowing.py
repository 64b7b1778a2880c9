"""A network in the shadow of the present one: it judges this cell's own parts from the archive, and decides nothing.

    archived scans since it came ─ inspect with the present network ─┐
                                 └ inspect with the new one ─────────┴─ differ? ─▶ MODELS/shadow/HASH.json

It runs beside the cell with what `[learn]` may take and no more; nothing of a running cell is touched. Both networks
judge the same scan by the same steps, so that what differs is the networks'.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from models.engines import make_engine
from models.fleet.shadow import Difference, Shadow, begin, read_shadow, shadow_of
from models.manifest import Bundle, load_bundle
from models.release.shelf import PROMOTED
from station.core.errors import ConfigError
from station.core.moments import stamp
from station.core.recipe import Recipes
from station.core.records import JsonObject
from station.core.settings import Settings, data_dir
from station.flow.pixels.library import library
from station.host.bundles import find_shelf
from station.host.recipes import bundle_names, find_bundles, recipes_of, require_fit
from station.host.records import read_records
from station.offline.inspect import Inspected, NotInspected, Wanted, inspect_image


@dataclass(frozen=True, slots=True)
class Asked:
    """What shall be judged.

    Attributes:
        bundle: The new bundle's folder.
        since: Parts entered at this moment or later; None for since the bundle came.
        most: Parts in all.
    """

    bundle: Path
    since: str | None
    most: int


def judge_in_the_shadow(settings: Settings, data: Path | None, asked: Asked, told: Callable[[Shadow], None]) -> Shadow:
    """Judge archived parts with both networks, on from where it was; blocking.

    Raises:
        ConfigError: No part type runs the promoted bundle, whose place the new one could take.
        ModelError: A bundle cannot be used for a part type, or what was judged before cannot be read.
        RecordError: The records cannot be read.
    """
    library()
    new, present = load_bundle(asked.bundle), find_bundles(settings, data)
    if PROMOTED not in present:
        raise ConfigError(
            "config.bad_option", "no part type runs the promoted bundle, so a new one would take no place"
        )
    for part_type, name in bundle_names(settings).items():
        if name == PROMOTED:
            require_fit(new, settings, part_type)
    hashes = [bundle.identity.sha256 for bundle in present.values()]
    before = read_shadow(shadow_of(find_shelf(settings, data).folder, new.identity.sha256))
    if before is None or set(before.present) != set(hashes) or (asked.since and asked.since != before.since):
        before = begin(new, hashes, asked.since or _came_at(asked.bundle))
    beside = Beside(settings, _recipes(settings, present), _recipes(settings, {**present, PROMOTED: new}))
    records = read_records(settings, data).archived()
    return go_on(before, records, data_dir(settings, data), beside, asked.most, told)


def _came_at(folder: Path) -> str:
    """When a bundle's folder was made here."""
    return stamp(datetime.fromtimestamp(folder.stat().st_mtime, UTC))


def _recipes(settings: Settings, bundles: Mapping[str, Bundle]) -> Recipes:
    return recipes_of(settings, {name: make_engine(bundle, settings.model) for name, bundle in bundles.items()})


@dataclass(frozen=True, slots=True)
class Beside:
    """The two networks, in the recipes of all part types.

    Attributes:
        settings: Crop and proofs of turns.
        present: As the station judges.
        new: The same with the new network in the place of the promoted one.
    """

    settings: Settings
    present: Recipes
    new: Recipes

    def look(self, record: JsonObject, scan: Path) -> Difference | str | None:
        """Where the two differ about a part; None where they do not, and a reason where it cannot be judged."""
        wanted = Wanted(scan, record["part_type"])
        first, second = (inspect_image(wanted, self.settings, recipes) for recipes in (self.present, self.new))
        for one in (first, second):
            if isinstance(one, NotInspected):
                return one.error.code
        before, after = (_answer(one) for one in (first, second))
        if before[0] == after[0]:
            return None
        return Difference(
            inspection_id=record["inspection_id"], part_id=record["part_id"], part_type=record["part_type"],
            entered_at=record["entered_at"], present=before[0], new=after[0], present_confidence=before[1],
            new_confidence=after[1],
        )  # fmt: skip


def _answer(one: Inspected | NotInspected) -> tuple[str, float | None]:
    """Verdict, or the reason of a review, and how sure it is."""
    if isinstance(one, NotInspected):
        return one.error.code, None
    fault = one.decision.fault
    return (fault.code if fault else one.decision.verdict.name), round(one.decision.confidence, 6)


def go_on(
    shadow: Shadow, records: Iterable[JsonObject], data: Path, beside: Beside, most: int,
    told: Callable[[Shadow], None],
) -> Shadow:  # fmt: skip
    """Judge the parts that came since the last one, until so many are judged.

    Args:
        shadow: How far it is.
        records: Archived inspections, oldest first.
        data: The station's data folder.
        beside: The networks.
        most: Parts in all.
        told: Called after each part with what there is now.
    """
    seen = not shadow.last
    for record in records:
        if not seen:
            seen = record["inspection_id"] == shadow.last
            continue
        if record["entered_at"] < shadow.since:
            continue
        if shadow.parts >= most:
            break
        found = beside.look(record, data / record["scan_file"])
        changed: dict[str, object] = {"last": record["inspection_id"]}
        if isinstance(found, str):
            changed["not_judged"] = {**shadow.not_judged, found: shadow.not_judged.get(found, 0) + 1}
        else:
            changed["parts"] = shadow.parts + 1
            changed["differences"] = (*shadow.differences, *([found] if found else []))
        shadow = shadow.model_copy(update=changed)
        told(shadow)
    return shadow
