"""`station --simulate` over the real protocols: what goes in at the infeed, and what the ledgers say at the end."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.cell.conftest import Run, ledger_of
from tests.housings import TABLE
from tests.turned import turned

PARTS = 14


@pytest.fixture
def speedy(make_config: Callable[..., Path]) -> Path:
    return make_config()


def test_every_part_is_sorted_once_where_its_label_belongs_and_both_ledgers_agree(
    station: Run, speedy: Path, tmp_path: Path
) -> None:
    truth, data = tmp_path / "truth.jsonl", tmp_path / "data"
    ran = station(
        "--simulate",
        "--config",
        speedy,
        "--parts",
        str(PARTS),
        "--speed",
        "max",
        "--json",
        "--data",
        data,
        "--truth",
        truth,
    )
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    summary, parts = document["summary"], document["parts"]
    assert (summary["parts"], summary["sorted"], summary["escapes"], summary["wrong_class"]) == (PARTS, PARTS, 0, 0)
    assert all(part["confirmed_bin"] == part["destination"] and part["scan_valid"] for part in parts)
    assert len({part["inspection_id"] for part in parts}) == PARTS
    assert {part["light"]["gain"] for part in parts} == {1.0}, "they are lit as the network knows them"
    assert parts[-1]["part_id"].endswith("-2"), "past its end a recording repeats"

    ended = {entry["part_id"]: entry["place"] for entry in ledger_of(truth)}
    assert ended == {part["part_id"]: part["confirmed_bin"] for part in parts}
    assert Counter(entry["event"] for entry in ledger_of(truth)) == {
        "fed": PARTS,
        "picked": 2 * PARTS,
        "placed": 2 * PARTS,
    }

    exported = json.loads(station("records", "export", "--json", "--data", data).stdout)
    keys = ("inspection_id", "part_id", "verdict", "destination", "confirmed_bin", "light")
    assert [{key: row[key] for key in keys} for row in exported] == [{key: part[key] for key in keys} for part in parts]
    for row in exported:
        orders = [(order["device"], order["verb"]) for order in row["orders"]]
        assert orders == [("robot", "load"), ("jig", "spin"), ("jig", "stop"), ("robot", "unload")]
        assert np.array(row["probabilities"]).shape == (16, 5)
        assert row["features"]["Height"] == 448

    listed = station("records", "list", "--data", data, "--verdict", "pits")
    assert listed.returncode == 0
    assert "bin_pits" in listed.stdout
    shown = station("records", "show", parts[0]["inspection_id"], "--data", data, "--json")
    assert json.loads(shown.stdout)["part_id"] == parts[0]["part_id"]
    drawn = station("records", "show", parts[0]["inspection_id"], "--data", data).stdout.splitlines()
    assert [line.split()[:2] for line in drawn if line.startswith("block")] == [["block", str(n)] for n in range(8)]
    assert {"decided", "PLC acknowledged", "committed", "jig at rest", "robot done"} <= {
        line[:17].strip() for line in drawn
    }
    others = {path: oct(path.stat().st_mode) for path in (data, *data.rglob("*")) if path.stat().st_mode & 0o027}
    assert others == {}, "what the station writes is no stranger's business, and its group's to read"


def test_at_real_speed_the_decision_is_there_soon_after_the_last_line(
    station: Run, speedy: Path, tmp_path: Path
) -> None:
    ran = station("--simulate", "--config", speedy, "--parts", "2", "--json", "--data", tmp_path / "data")
    assert ran.returncode == 0, ran.stderr
    parts = json.loads(ran.stdout)["parts"]
    assert [part["reason"] for part in parts] == [None, None]
    assert all(0 < part["decision_ms_after_last_line"] < part["cycle_ms"] for part in parts)


def recording(folder: Path, rows: list[dict[str, str] | str]) -> Path:
    """A recording of one good scan and whatever the test adds to its list."""
    folder.mkdir()
    image = np.zeros((3584, 430), np.uint8)
    image[:, 20:405] = turned(2, 385, 150)
    assert cv2.imwrite(str(folder / "good.png"), image)
    assert cv2.imwrite(str(folder / "short.png"), image[:3583])
    assert cv2.imwrite(str(folder / "deep.png"), image.astype(np.uint16) * 200)
    assert cv2.imwrite(str(folder / "colour.png"), cv2.cvtColor(image, cv2.COLOR_GRAY2BGR))
    content = (folder / "good.png").read_bytes()
    (folder / "cut.png").write_bytes(content[: len(content) // 2])
    (folder.parent / "outside.png").write_bytes(content)
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / "recording.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def row(file: str, part_id: str, part_type: str = "smh_385", label: str = "pits") -> dict[str, str]:
    return {"file": file, "part_id": part_id, "part_type": part_type, "label": label}


def test_bad_scans_are_named_and_left_out_and_the_recording_goes_on(station: Run, speedy: Path, tmp_path: Path) -> None:
    folder = recording(
        tmp_path / "recording",
        [
            row("good.png", "OK1"),
            "{not json",
            row("cut.png", "CUT"),
            row("deep.png", "DEEP"),
            row("colour.png", "COLOUR"),
            row("short.png", "SHORT"),
            row("good.png", "TYPE", part_type="smh_999"),
            row("good.png", "LABEL", label="rust"),
            row("good.png", "OK1"),
            row("../outside.png", "OUT"),
            row("missing.png", "MISSING"),
            row("good.png", "OK2"),
        ],
    )
    ran = station(
        "--simulate", "--config", speedy, "--recordings", folder, "--speed", "max", "--data", tmp_path / "data"
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    said = ran.stdout + ran.stderr
    words = [
        "cut.png",
        "deep.png",
        "colour.png",
        "3583",
        "smh_999",
        "rust",
        "OK1",
        "outside.png",
        "missing.png",
        "line 2",
        "recording.bad_line",
        "recording.bad_image",
        "recording.duplicate_part",
        "recording.path_outside",
    ]
    assert [word for word in words if word not in said] == []
    assert "2 parts inspected" in said


@pytest.mark.parametrize("case", ["empty", "missing", "all bad"])
def test_a_recording_without_a_usable_scan_is_refused(station: Run, speedy: Path, tmp_path: Path, case: str) -> None:
    folder = tmp_path / "recording"
    if case == "empty":
        folder.mkdir()
    elif case == "all bad":
        recording(folder, [row("cut.png", "CUT")])
    ran = station("--simulate", "--config", speedy, "--recordings", folder, "--data", tmp_path / "data")
    assert ran.returncode == 2
    assert str(folder) in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_foreign_surface_is_never_passed_unjudged(station: Run, speedy: Path, tmp_path: Path) -> None:
    folder = recording(tmp_path / "recording", [row("good.png", "A"), row("good.png", "WIDE", part_type="smh_570")])
    data = tmp_path / "data"
    ran = station("--simulate", "--config", speedy, "--recordings", folder, "--speed", "max", "--json", "--data", data)
    assert ran.returncode == 0, ran.stderr
    wide = json.loads(ran.stdout)["parts"][1]
    assert (wide["verdict"], wide["reason"], wide["confirmed_bin"]) == ("review", "part.wrong_width", "bin_review")
    assert wide["algorithm1"] is None


def test_names_of_places_and_classes_are_those_of_the_documents() -> None:
    assert [place.name for place in TABLE.places] == [
        "second_inspection", "bin_imprinted", "bin_pits", "bin_roll_marks", "bin_scratches", "bin_review",
    ]  # fmt: skip
    assert [verdict.name for verdict in TABLE.verdicts] == [
        "defect_free",
        "imprinted",
        "pits",
        "roll_marks",
        "scratches",
        "review",
    ]
