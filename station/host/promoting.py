"""Which network judges from the next start on: let in by a report of the gate, or brought back; whoever decides so.

Nothing changes under a running cell: a station looks at the shelf when it starts and at no other time.
"""

from dataclasses import dataclass
from pathlib import Path

from models.fleet.shadow import came_in, demand_shadow, shadow_of
from models.manifest import load_bundle
from models.meaning import check_classes
from models.release.gate_report import Conditions
from models.release.history import Entry
from models.release.shelf import PROMOTED
from station.core.errors import ModelError
from station.core.settings import Settings
from station.host.bundles import find_shelf, threshold_mismatches
from station.host.recipes import bundle_names, find_bundles


@dataclass(frozen=True, slots=True)
class Released:
    """What was decided.

    Attributes:
        entry: The line of the history.
        doubts: What a person should know: that the configuration runs another bundle, or judges it otherwise.
    """

    entry: Entry
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """Who decides, and why.

    Attributes:
        reason: Why; may be empty where there is a report of the gate.
        by: Who.
    """

    reason: str
    by: str


def let_in(
    settings: Settings, data: Path | None, bundle: Path, report: Path | None, decided: Decided, *, gated: bool = True
) -> Released:
    """Let a bundle into the station; it is used from the station's next start on.

    Args:
        settings: The station's configuration, whose classes the bundle must answer.
        data: The station's data folder; None for the configured one.
        bundle: The bundle's folder.
        report: The gate's on it; None for the one that the gate left where it leaves them.
        decided: Who, and why.
        gated: Whether the gate must have let it pass, judging as the configuration does; else the reason is enough.

    Raises:
        ModelError: As `Shelf.promote`, or the bundle answers with other classes, or it came from afar and has not
            judged enough of this cell's own parts.
    """
    shelf = find_shelf(settings, data)
    if gated and came_in(shelf.folder, bundle):
        sha256, present = load_bundle(bundle).identity.sha256, find_bundles(settings, data).values()
        judging = [one.identity.sha256 for one in present]
        demand_shadow(shadow_of(shelf.folder, sha256), sha256, judging, settings.fleet.shadow_parts)
    silent = check_classes(load_bundle(bundle).manifest, settings.table)
    if gated:
        conditions = conditions_of(settings)
        entry = shelf.promote(bundle, report or shelf.verdict_on(bundle), decided.reason, decided.by, conditions)
    else:
        entry = shelf.promote(bundle, None, decided.reason, decided.by)
    return Released(entry, (*([silent] if silent else []), *doubts(settings, data)))


def go_back(settings: Settings, data: Path | None, to: str | None, decided: Decided) -> Released:
    """Have an earlier bundle used again from the station's next start on.

    Args:
        settings: The station's configuration.
        data: The station's data folder; None for the configured one.
        to: Name or first digits of the hash of one that was used before; None for the one that was replaced.
        decided: Who, and why.

    Raises:
        ModelError: As `Shelf.roll_back`.
    """
    return Released(find_shelf(settings, data).roll_back(to, decided.reason, decided.by), tuple(doubts(settings, data)))


def conditions_of(settings: Settings) -> Conditions:
    """How the station judges, and the gate must have."""
    model = settings.model
    return Conditions(model.engine, model.precision, settings.decision.min_confidence, model.screener)


def doubts(settings: Settings, data: Path | None) -> list[str]:
    """Where the configuration runs another bundle than the promoted, or judges otherwise than it was measured."""
    if PROMOTED not in (named := set(bundle_names(settings).values())):
        bundles = ", ".join(f'"{name}"' for name in sorted(named))
        return [f"the configuration says bundle = {bundles}, and that is what it runs"]
    try:
        return threshold_mismatches(find_bundles(settings, data), settings, data)
    except ModelError as error:
        return [f"the station will refuse it: {error}"]
