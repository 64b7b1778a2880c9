"""Kept scans, judged again: the very decisions of `station inspect`, each once, whatever is killed on the way."""

import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from models.errors import ArchiveError
from models.manifest import load_bundle
from station.cli.app import app
from station.core.errors import ModelError, StationError
from station.core.settings import Settings, load_settings
from station.host.recipes import make_recipes
from station.offline.inspect import Inspected, inspect_images, wanted_images
from tests.cell.conftest import station_command
from tests.cell.product_lines import RING, RINGS
from tests.cell.products import Shown, make_recording, product

pq = pytest.importorskip("pyarrow.parquet", reason="needs the packages of requirements/cluster.txt: make test-cluster")
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

from station.offline.archive import inspecting, judging  # noqa: E402  # needs the packages above
from station.offline.archive.judging import Chunk, Judge, order_for  # noqa: E402
from station.offline.archive.processes import processes  # noqa: E402
from station.offline.archive.results import COLUMNS, read_rows  # noqa: E402
from station.offline.archive.scans import Scan, scans_in  # noqa: E402

MakeConfig = Callable[..., Path]
LABELS = ("good", "crack", "stain")
SCANS = 21
"""More than a worker judges in one go."""
OTHER = replace(RING, name="other", greys={"crack": 190, "good": 110, "stain": 60})
"""A network that takes stains for good, and what is good for it lies between."""


@pytest.fixture
def config(make_config: MakeConfig, tmp_path: Path) -> Path:
    return make_config(*product(RINGS, (RING,), tmp_path))


@pytest.fixture
def settings(config: Path) -> Settings:
    return load_settings(config)


@pytest.fixture
def model(config: Path, tmp_path: Path) -> Path:
    return tmp_path / "ring-1"


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    names = [LABELS[number % 3] for number in range(SCANS)]
    shown = [Shown(f"R{number}", RING, name, RING.greys[name]) for number, name in enumerate(names)]
    return make_recording(tmp_path / "scans", tuple(shown))


def inspect_archive(source: Path | str, model: Path, out: Path, config: Path, *more: str) -> Any:
    """The command's exit status and what it prints as JSON, or why it refuses."""
    arguments = ["archive", "inspect", source, "--model", model, "--out", out, "--config", config, "--json", *more]
    result = CliRunner().invoke(app, list(map(str, arguments)))
    if isinstance(result.exception, StationError):
        return 2, result.exception
    return result.exit_code, json.loads(result.stdout)


def rows_in(out: Path) -> list[dict[str, Any]]:
    return list(read_rows(out, [*COLUMNS.names, "date", "cell", "model"]))


def by_name(out: Path) -> dict[str, dict[str, Any]]:
    """The rows by their file's name, each of which has one."""
    rows = rows_in(out)
    found = {Path(row["file"]).name: row for row in rows}
    assert len(found) == len(rows)
    return found


def test_each_scan_is_decided_to_the_last_bit_as_inspect_decides_it_and_each_that_cannot_be_is_a_row(
    config: Path, settings: Settings, model: Path, scans: Path, tmp_path: Path
) -> None:
    (scans / "R1.png").write_bytes(b"no image")
    (scans / "R2.png").write_bytes((scans / "R2.png").read_bytes()[:-200])
    assert cv2.imwrite(str(scans / "R3.png"), np.zeros((1792, 500), np.uint8))
    with (scans / "recording.jsonl").open("a", encoding="utf-8") as index:
        index.write('{"file": "gone.png", "part_id": "gone", "part_type": "ring", "label": null}\n')
    status, told = inspect_archive(scans, model, tmp_path / "out", config, "--local", "--workers", "2")
    rows = rows_in(tmp_path / "out")
    assert (status, told["outcome"]["rows"], len(rows)) == (1, SCANS + 1, SCANS + 1)
    assert told["outcome"]["errors"] == {"recording.bad_image": 2, "recording.bad_line": 1}
    found = {row["message"] or row["file"]: row for row in rows}
    for one in inspect_images(list(wanted_images([scans], settings)), settings, make_recipes(settings)):
        row = found[str(one.file) if isinstance(one, Inspected) else str(one.error)]
        if not isinstance(one, Inspected):
            assert (row["error"], row["verdict"], row["file"]) == (one.error.code, None, str(one.file))
            continue
        decision, said = one.decision, one.as_json()
        stored = np.array(row["probabilities"], np.float32)
        assert stored.tobytes() == np.ascontiguousarray(decision.probabilities).tobytes()
        assert (row["confidence"], row["verdict"]) == (decision.confidence, decision.verdict.name)
        assert (row["deciding_patch"], row["defect_patches"]) == (decision.deciding_patch, decision.defect_patches)
        assert {name: row[name] for name in ("algorithm1", "reason", "detail", "scan_valid", "screened")} == {
            name: said[name] for name in ("algorithm1", "reason", "detail", "scan_valid", "screened")
        }
        assert [json.loads(row[name] or "null") for name in ("defects", "light", "novelty")] == [
            said[name] for name in ("defects", "light", "novelty")
        ]
        roi = None if one.roi is None else (one.roi.left, one.roi.right)
        assert (row["roi_left"], row["roi_right"]) == (roi or (None, None))
        assert (row["error"], row["part_type"], row["announced_type"]) == (None, "ring", "ring")
    refused = next(row for row in rows if Path(row["file"]).name == "R3.png")
    assert (refused["verdict"], refused["reason"]) == (
        "review",
        "part.jig_empty",
    )  # judged, and refused as the cell would


def test_what_is_judged_is_not_judged_again_and_what_is_new_is(
    config: Path, model: Path, scans: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (scans / "R5.png").write_bytes(b"no image")
    assert inspect_archive(scans, model, out, config)[1]["outcome"]["rows"] == SCANS
    status, told = inspect_archive(scans, model, out, config)
    assert (status, told["outcome"]["rows"], told["outcome"]["already"]) == (0, 0, SCANS)
    shutil.copy(scans / "R0.png", scans / "same.png")
    shutil.move(scans / "R1.png", scans / "moved.png")
    assert cv2.imwrite(str(scans / "new.png"), RING.surface(99, RING.greys["good"]))
    shutil.copy(scans / "new.png", scans / "new-too.png")
    (scans / "recording.jsonl").unlink()
    outcome = inspect_archive(scans, model, out, config)[1]["outcome"]
    assert (outcome["rows"], outcome["already"], outcome["same"]) == (1, SCANS + 1, 1)
    other = load_bundle(OTHER.make_bundle(tmp_path))
    outcome = inspect_archive(scans, other.folder, out, config)[1]["outcome"]
    assert (outcome["rows"], outcome["already"], outcome["same"]) == (SCANS + 1, 0, 2)


def unreadable(*_given: object) -> Iterator[bytes]:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_what_could_not_be_read_is_tried_again_until_it_is_judged_and_is_told_once(
    config: Path, model: Path, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def all_but_one(scan: Scan, bucket: None) -> Iterator[bytes]:
        yield from (unreadable if scan.wanted.file.name == "R5.png" else judging.pieces_of)(scan, bucket)

    with monkeypatch.context() as patch:
        patch.setattr(inspecting, "pieces_of", all_but_one)
        for judged in (SCANS, 1):
            status, told = inspect_archive(scans, model, out, config, "--workers", "1")
            assert (status, told["outcome"]["rows"], told["outcome"]["errors"]) == (1, judged, {"archive.unread": 1})
            assert len(by_name(out)) == SCANS
            arguments = ["archive", "differences", str(out), "--json"]
            assert json.loads(CliRunner().invoke(app, arguments).stdout)["not_judged"] == 1
    assert "R5.png: it cannot be read: Input/output error" in by_name(out)["R5.png"]["message"]
    status, told = inspect_archive(scans, model, out, config, "--workers", "1")
    assert (status, told["outcome"]["rows"], told["outcome"]["already"]) == (0, 1, SCANS - 1)
    assert told["comparison"]["not_judged"] == 0
    of_it = [row["verdict"] for row in rows_in(out) if Path(row["file"]).name == "R5.png"]
    assert sorted(of_it, key=str) == [None, LABELS[5 % 3]]
    assert inspect_archive(scans, model, out, config)[1]["outcome"]["already"] == SCANS


def test_a_source_that_is_not_there_or_has_no_image_is_refused_and_nothing_is_written(
    config: Path, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for source in ("typo", "empty"):
        refusal = inspect_archive(tmp_path / source, model, tmp_path / "out", config)[1]
        assert (refusal.code, str(tmp_path / source) in refusal.detail) == ("recording.not_found", True)
    assert not (tmp_path / "out").exists()


def test_rows_lie_by_date_cell_and_network(
    config: Path, model: Path, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = tmp_path / "kept" / "2026" / "05" / "01"
    day.mkdir(parents=True)
    (day.parent / "02").mkdir()  # all of that day have gone
    shutil.copy(scans / "R0.png", day / "01ABC.png")
    out = tmp_path / "out"
    monkeypatch.chdir(tmp_path)
    assert inspect_archive(Path("kept"), model, out, config, "--cell", "line 1/west")[0] == 0
    identity = load_bundle(model).identity
    (file,) = out.rglob("*.parquet")
    folder = f"date=2026-05-01/cell=line%201%2Fwest/model=ring-1-{identity.sha256[:12]}"
    assert file.parent == out / folder
    (row,) = rows_in(out)
    assert (row["date"], row["cell"], row["model"]) == ("2026-05-01", "line 1/west", f"ring-1-{identity.sha256[:12]}")
    assert (row["inspection_id"], row["model_sha256"]) == ("01ABC", identity.sha256)
    assert row["file"] == str(day / "01ABC.png")
    assert pq.read_schema(file).names == COLUMNS.names


COUNTED = """
import sys
from pathlib import Path
from station.core.settings import load_settings
from station.offline.archive.inspecting import Asked, inspect_again
from station.offline.archive.processes import processes
source, model, out, config = map(Path, sys.argv[1:])
asked = Asked(str(source), str(model), out, "cell", rows_per_file=1)
if __name__ == "__main__":
    inspect_again(asked, load_settings(config), None, 1, lambda order: processes(order, 2),
        lambda done, of: print(done, of, flush=True))
"""


@pytest.mark.parametrize("judged", [1, 17])
def test_killed_in_the_middle_it_goes_on_and_has_every_row_once(
    config: Path, model: Path, scans: Path, tmp_path: Path, judged: int
) -> None:
    out, program = tmp_path / "out", tmp_path / "counted.py"
    program.write_text(COUNTED, encoding="utf-8")
    command = [sys.executable, str(program), *map(str, (scans, model, out, config))]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(Path(__file__).parents[2])}
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if int(line.split()[0]) >= judged:
                break
        child.send_signal(signal.SIGKILL)
        child.stdout.read()  # its workers have this end open, too: they are gone when it ends
    assert child.returncode == -signal.SIGKILL
    before = by_name(out)
    assert judged <= len(before)
    status, told = inspect_archive(scans, model, out, config)
    assert (status, told["outcome"]["already"]) == (0, len(before))
    assert by_name(out).keys() == {f"R{number}.png" for number in range(SCANS)}
    assert {name: by_name(out)[name] for name in before} == before


def test_what_the_records_and_another_network_decided_otherwise_is_told(
    config: Path, model: Path, scans: Path, tmp_path: Path
) -> None:
    text = config.read_text(encoding="utf-8").replace("archive = []", 'archive = ["good", "crack", "stain", "review"]')
    config.write_text(text, encoding="utf-8")
    data, out = tmp_path / "data", tmp_path / "out"
    simulate = ("--simulate", "--recordings", scans, "--parts", "6", "--speed", "max", "--config", config)
    done = subprocess.run(
        station_command(*simulate, "--data", data, "--json"), capture_output=True, text=True, check=False, timeout=110
    )
    assert done.returncode == 0, done.stderr
    verdicts = [row["verdict"] for row in json.loads(done.stdout)["parts"]]
    assert verdicts == ["good", "crack", "stain"] * 2
    status, told = inspect_archive(data, model, out, config)
    assert (status, told["outcome"]["rows"]) == (0, 6)
    comparison = told["comparison"]
    assert (comparison["compared"], comparison["differences"], comparison["against"]) == (6, [], "records")
    assert all(row["recorded_confidence"] == pytest.approx(row["confidence"], abs=1e-9) for row in rows_in(out))
    other = OTHER.make_bundle(tmp_path)
    for against in (told["comparison"]["model"], None):
        if against is None:
            comparison = inspect_archive(data, other, out, config)[1]["comparison"]
        else:
            assert inspect_archive(data, other, out, config)[1]["outcome"]["rows"] == 6
            arguments = ["archive", "differences", str(out), "--model", "other-1", "--against", against, "--json"]
            comparison = json.loads(CliRunner().invoke(app, arguments).stdout)
        changed = {(one["before"], one["after"], one["passing"]) for one in comparison["differences"]}
        assert comparison["compared"] == 6
        assert ("stain", "good", "passes now") in changed
        assert all(one["inspection_id"] for one in comparison["differences"])
    shown = CliRunner().invoke(app, ["archive", "differences", str(out), "--model", "other-1"])
    assert "stain → good" in shown.stdout
    unsure = CliRunner().invoke(app, ["archive", "differences", str(out)])
    assert "has rows of: other-1-" in str(unsure.exception)


def test_a_scan_that_was_changed_since_it_was_recorded_or_is_gone_is_a_row_that_says_so(
    settings: Settings, model: Path, scans: Path
) -> None:
    judge = Judge(order_for(settings, load_bundle(model), threads=1))
    first, second, third = list(scans_in(scans, settings))[:3]
    kept = replace(first, sha256="00" * 32), replace(second, sha256="11" * 32), replace(third, sha256=None)
    second.wanted.file.unlink()
    rows = judge.rows(Chunk(kept))
    assert [row["error"] for row in rows[:2]] == ["archive.scan_changed", "archive.unread"]
    assert "it cannot be read: No such file or directory" in rows[1]["message"]


def test_a_name_that_is_no_text_is_written_out_in_its_row(
    config: Path, settings: Settings, model: Path, scans: Path, tmp_path: Path
) -> None:
    folder = os.fsencode(tmp_path / "strange")
    os.mkdir(folder)  # noqa: PTH102  # a path of bytes
    for name, content in ((b"\xff.png", (scans / "R0.png").read_bytes()), (b"\xfe.png", b"no image")):
        Path(os.fsdecode(os.path.join(folder, name))).write_bytes(content)  # noqa: PTH118  # likewise
    out = tmp_path / "out"
    for judged in (2, 0):
        told = inspect_archive(tmp_path / "strange", model, out, config, "--workers", "1")[1]
        assert told["outcome"]["rows"] == judged
    rows = sorted(rows_in(out), key=lambda row: str(row["file"]))
    assert [Path(row["file"]).name for row in rows] == ["\\udcfe.png", "\\udcff.png"]
    assert [(row["error"], row["verdict"]) for row in rows] == [("recording.bad_image", None), (None, "good")]


def test_whatever_a_scan_brings_about_is_told_in_its_row(
    settings: Settings, model: Path, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_given: object) -> None:
        raise ZeroDivisionError("a bug")

    judge = Judge(order_for(settings, load_bundle(model), threads=1))
    scan = next(scans_in(scans, settings))
    known = replace(scan, sha256=judging.hashlib.sha256(scan.wanted.file.read_bytes()).hexdigest())
    monkeypatch.setattr(judging, "judge_read", fails)
    (row,) = judge.rows(Chunk((known,)))
    assert (row["error"], "ZeroDivisionError: a bug" in row["message"]) == ("station.bug", True)


def test_another_process_takes_the_place_of_one_that_was_killed(settings: Settings, model: Path, scans: Path) -> None:
    order = order_for(settings, load_bundle(model), threads=1)
    chunk = Chunk((next(scans_in(scans, settings)),))
    with processes(order, 1) as crew:
        while not crew.free:
            assert crew.take() == []
        crew._workers[0].process.kill()
        crew.give(chunk)
        assert crew.take() == [(chunk, None)]
        while not crew.free:
            assert crew.take() == []
        crew.give(chunk)
        ((returned, rows),) = crew.take()
    assert (returned, rows is not None) == (chunk, True)


def test_a_network_that_no_worker_can_load_ends_the_work(
    config: Path, settings: Settings, model: Path, scans: Path, tmp_path: Path
) -> None:
    order = order_for(settings, load_bundle(model), threads=1)
    elsewhere = replace(order, bundle=OTHER.make_bundle(tmp_path))
    with processes(elsewhere, 1) as crew, pytest.raises(ModelError, match="wanted is ring-1"):
        crew.take()
    with processes(replace(order, version="0.0.0"), 1) as crew, pytest.raises(ArchiveError, match=r"is of 0\.0\.0"):
        crew.take()


def test_results_of_other_rules_and_results_in_use_are_left_as_they_are(
    config: Path, model: Path, scans: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert inspect_archive(scans, model, out, config)[0] == 0
    before = rows_in(out)
    stricter = tmp_path / "stricter.toml"
    stricter.write_text(
        config.read_text(encoding="utf-8").replace("min_confidence = 0.9", "min_confidence = 0.95"), encoding="utf-8"
    )
    refusal = inspect_archive(scans, model, out, stricter)[1]
    assert (refusal.code, "of the configuration differ part_types" in refusal.detail) == ("archive.other_rules", True)
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert inspect_archive(scans, model, out, config)[1].code == "archive.in_use"
    rules = (out / "_judged_by.json").read_bytes()
    (out / "_judged_by.json").write_bytes(b"[]")
    assert inspect_archive(scans, model, out, config)[1].code == "archive.bad_results"
    (out / "_judged_by.json").write_bytes(rules)
    (broken,) = out.rglob("*.parquet")
    broken.write_bytes(broken.read_bytes()[:-30])
    assert inspect_archive(scans, model, out, config)[1].code == "archive.bad_results"
    assert len(before) == SCANS
