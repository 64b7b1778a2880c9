"""Parts of none of the classes, and parts in other light, through the whole cell with the shipped network.

What becomes of each is up to the network; here stands what it says of these very parts, and that the cell's own truth
counts what passed.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.faults import NAMED_FAULTS
from tests.cell.conftest import Run, ledger_of

UNLISTED = [row.name for row in NAMED_FAULTS.values() if row.makes]
OTHER_LIGHT = [row.name for row in NAMED_FAULTS.values() if row.judged and not row.makes]


def struck(names: list[str]) -> str:
    """Each fault strikes a part of its own, from the first on."""
    return ",".join(f"{name}@{number}" for number, name in enumerate(names, 1))


@pytest.mark.parametrize("names", [UNLISTED, OTHER_LIGHT], ids=["unlisted", "other light"])
def test_every_part_is_judged_and_sorted_and_the_truth_tells_what_it_is(
    station: Run, make_config: Callable[..., Path], tmp_path: Path, names: list[str]
) -> None:
    truth = tmp_path / "truth.jsonl"
    ran = station(
        "--simulate", "--config", make_config(), "--parts", str(len(names)), "--speed", "max", "--json",
        "--data", tmp_path / "data", "--truth", truth, "--fault", struck(names),
    )  # fmt: skip
    document = json.loads(ran.stdout)
    parts, summary = document["parts"], document["summary"]
    assert (summary["parts"], summary["sorted"]) == (len(names), len(names)), ran.stderr
    assert all(part["scan_valid"] for part in parts), [part["reason"] for part in parts]
    told = {entry["part_id"]: entry["label"] for entry in ledger_of(truth)}
    assert [part["label"] for part in parts] == [told[part["part_id"]] for part in parts]
    assert ("unknown" in told.values()) is (names is UNLISTED)
    good = [part["confirmed_bin"] == "second_inspection" for part in parts]
    escaped = [part["label"] != "defect_free" and passed for part, passed in zip(parts, good, strict=True)]
    assert summary["escapes"] == sum(escaped)
