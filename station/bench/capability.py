"""What the figures mean for the configured line, in words: whether this computer runs it, how far it goes, what limits.

The highest line rate is an estimate. Of each line's time the network needs its part of a strip, at the slowest width,
and the camera's process its share of a core, spread over all of them; and more than the camera's way to the station
carries cannot come. Whether the configured rate is kept up is no estimate: that was run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from station.bench.housings import part_types
from station.bench.mix import FULL, HYBRID
from station.core.geometry import Geometry
from station.core.settings import Settings

Figures = Mapping[str, Mapping[str, Any] | None]
NETWORK, CAMERA_WAY = "network", "camera"
QUIET = 0.1
"""A computer is quiet when no more of its processor is in use."""
OVERLOADED_SHARE = 0.05
"""Of the parts; a computer does other things, too, and blocks that wait for them are held, not lost. More is a network
that is too slow."""


@dataclass(frozen=True, slots=True)
class Capability:
    """Whether this computer can run the configured line.

    Attributes:
        runs_the_line: None where the figures do not tell.
        highest_line_rate_hz: Beyond it the station stops keeping up; None where it cannot be estimated.
        limited_by: What then stops it: `network` or `camera`.
        words: All of this for people, a sentence each.
    """

    runs_the_line: bool | None
    highest_line_rate_hz: float | None
    limited_by: str | None
    words: tuple[str, ...]


def capability(figures: Figures, settings: Settings, busy_before: float = 0.0) -> Capability:
    """The verdict over what was measured; the more was, the more it says.

    Args:
        figures: By name of the benchmark.
        settings: What was measured with.
        busy_before: Share of the processor that was in use before anything was measured.
    """
    strip_ms = _strip_ms(figures, _geometry(settings))
    highest, limited_by = _highest(figures, settings, strip_ms)
    runs = _runs(figures)
    if runs is None and highest is not None:
        runs = highest >= settings.camera.max_line_rate_hz
    words = (
        *_said_of_line(figures, settings, {True: "can", False: "can NOT", None: None}[runs]),
        *_said_of_limit(settings, highest, limited_by, strip_ms),
        *_said_of_screener(figures),
        *_said_of_several(figures),
        *_said_of_lesser(figures),
        *_said_of_others(busy_before),
    )
    return Capability(runs, None if highest is None else round(highest), limited_by, words)


def _said_of_screener(figures: Figures) -> Iterator[str]:
    """Whether to ask the screener first: where that is faster and nothing passes that the network does not pass."""
    mix = figures.get("mix")
    if mix is None or HYBRID not in mix:
        return
    full, pair = mix[FULL], mix[HYBRID]
    pays = pair["images_per_s_in_all"] > full["images_per_s_in_all"] and not pair["passed_alone"]
    passed = f" and passed {pair['passed_alone']} parts that it does not" if pair["passed_alone"] else ""
    yield (
        f"Of {mix['parts']} parts of the usual mix the full network alone judged {full['images_per_s_in_all']:g} a "
        f"second, with the screener before it {pair['images_per_s_in_all']:g}: that passed {pair['screened']:.1%} of "
        f"the patches{passed}. Choose model.screener = {str(pays).lower()}."
    )


def _said_of_several(figures: Figures) -> Iterator[str]:
    several = figures.get("cameras")
    if several is not None and (tried := len(several["at_once"])) > 1:
        yield f"Of up to {tried} such lines at once it carries {several['carries']}, cameras and PLCs left aside."


def _said_of_lesser(figures: Figures) -> Iterator[str]:
    lesser = figures.get("lesser")
    if lesser is not None:
        told = ", ".join(f"{precision} with {limit}" for limit, precision in lesser["choose"].items())
        yield f"On a lesser computer choose as model.precision {told}."


def _said_of_others(busy_before: float) -> Iterator[str]:
    if busy_before > QUIET:
        yield (
            f"Before it was measured {busy_before:.0%} of the processor was already in use: these are the figures of "
            f"a busy computer."
        )


def _runs(figures: Figures) -> bool | None:
    """Whether the cell has kept up where it was run; None where it was not."""
    stream, acquisition = figures.get("stream"), figures.get("acquisition")
    kept = []
    if stream is not None:
        kept.append(stream["blocks_lost"] == stream["late"] == 0)
        kept.append(stream["overloaded"] <= OVERLOADED_SHARE * stream["parts"])
    if acquisition is not None:
        kept.append(acquisition["lost_blocks"] == 0 and acquisition["scored_blocks"] == acquisition["blocks"])
    return all(kept) if kept else None


def _geometry(settings: Settings) -> Geometry:
    """That of the parts that were measured: a network has but one."""
    return settings.known_types[0].geometry


def _strip_ms(figures: Figures, geometry: Geometry) -> float | None:
    """Time that a strip keeps the compute thread busy, at the slowest width; or the network's alone."""
    if (whole := figures.get("end_to_end")) is not None:
        return float(1e3 / geometry.blocks_per_turn / min(whole["by_width"].values()))
    if (network := figures.get("model_only")) is not None:
        return float(network["two_patches_ms"]["p50"])
    return None


def _highest(figures: Figures, settings: Settings, strip_ms: float | None) -> tuple[float | None, str | None]:
    acquisition, machine = figures.get("acquisition"), figures.get("machine")
    if strip_ms is None:
        return None, None
    line_s = strip_ms / 1e3 / _geometry(settings).lines_per_block
    limits: dict[str, float] = {}
    if acquisition is not None:
        camera_s = acquisition["cpu_percent"] / 100 / acquisition["lines_per_s"]
        line_s += camera_s / (1 if machine is None else machine["cores"])
        limits[CAMERA_WAY] = acquisition["path_mb_per_s"] * 1e6 / settings.camera.width_px
    limits[NETWORK] = 1 / line_s
    tightest = min(limits, key=lambda name: limits[name])
    return limits[tightest], tightest


def _said_of_line(figures: Figures, settings: Settings, can: str | None) -> Iterator[str]:
    camera, stream = settings.camera, figures.get("stream")
    line = f"{camera.width_px} px at {camera.max_line_rate_hz:,.0f} lines/s"
    if can is not None:
        yield f"This computer {can} run the configured line, {line}."
    if stream is not None:
        after = stream["decision_ms_after_last_line"]
        yield (
            f"The PLC has the decision {after['p50']:.1f} ms after the last line (99 of 100 parts within "
            f"{after['p99']:.1f} ms, all within {after['max']:.1f} ms; {settings.decision.deadline_ms:g} are allowed)."
        )
        yield (
            f"Of {stream['parts']} parts {stream['overloaded']} found the network slower than the lines, "
            f"{stream['late']} were judged late, and {stream['blocks_lost']} blocks were lost."
        )


def _said_of_limit(
    settings: Settings, highest: float | None, limited_by: str | None, strip_ms: float | None
) -> Iterator[str]:
    if highest is None or limited_by is None:
        return
    block_ms = 1e3 * _geometry(settings).lines_per_block / settings.camera.max_line_rate_hz
    why = {
        NETWORK: f"the network: a strip takes {strip_ms:.1f} ms, a block is exposed in {block_ms:.1f} ms",
        CAMERA_WAY: "the way of the lines from the camera's process to the station",
    }[limited_by]
    yield f"By estimate it keeps up to about {highest:,.0f} lines/s; what limits is {why}."
    slow = [kind.name for kind in part_types(settings) if kind.line_rate_hz > highest]
    if slow:
        yield (
            f"Too fast for it: {', '.join(slow)}; lower their surface_speed_mm_s, or see How to tune in "
            "station/bench/README.md."
        )
    elif highest < settings.camera.max_line_rate_hz:
        yield "The configured part types turn slowly enough for it."
