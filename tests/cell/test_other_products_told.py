"""What a PLC, a person and a file are told of other products: their own classes and places, and nobody else's."""

import asyncio
import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from station.core.settings import load_settings
from station.view.live import CellView, parts_table
from station.view.report import part_row
from tests.cell.conftest import Run
from tests.cell.mbpoll import addresses, read, require_mbpoll
from tests.cell.product_bench import product_cell
from tests.cell.product_lines import BIN, CRACK, GOOD, GOOD_PARTS, REVIEW, RING, RINGS, RINGS_AND_SLEEVES, SLEEVE, STAIN
from tests.cell.products import Shown, make_recording, product
from tests.free_port import free_port
from tests.housings import CLASSES, TABLE

MakeConfig = Callable[..., Path]
HOUSINGS = re.compile(rf"\b({'|'.join([*CLASSES, *(place.name for place in TABLE.places)])})\b")
PLC_LINK = '[plc.link]\nkind = "tcp"\nhost = "127.0.0.1"\nport = '


@pytest.fixture(autouse=True)
def _nothing_outside(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name in ("XDG_RUNTIME_DIR", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, environment[name])


async def test_mbpoll_reads_decision_place_and_defects_of_another_product_from_the_stations_server(
    station: Run, make_config: MakeConfig, tmp_path: Path
) -> None:
    require_mbpoll()
    port = free_port()
    recording = make_recording(tmp_path / "recording", (Shown("LAST", RING, "crack", 150, {1: 118, 6: 190}),))
    config = make_config(
        *product(RINGS, (RING,), tmp_path),
        (f"{PLC_LINK}0", f"{PLC_LINK}{port}"),
        ('role = "client"', 'role = "server"'),
    )
    registers = addresses(station, "plc", "--config", str(config))
    async with product_cell(config, recording, tmp_path) as cell:
        await cell.take_all(1)
        names = ["decision", "decision_complement", "destination", "confirmed_bin", "defects_count"]
        names += [f"defect_{place}_{what}" for place in (1, 2, 3) for what in ("class", "patch")]
        where = ("-p", str(port), "127.0.0.1")
        words = {name: await asyncio.to_thread(read, registers[name], *where) for name in names}
    assert words == {
        "decision": CRACK,
        "decision_complement": 0xFFFF - CRACK,
        "destination": BIN,
        "confirmed_bin": BIN,
        "defects_count": 2,
        "defect_1_class": CRACK,
        "defect_1_patch": 7,
        "defect_2_class": STAIN,
        "defect_2_patch": 2,
        "defect_3_class": 0,
        "defect_3_patch": 0,
    }


async def test_view_and_commands_name_the_configured_classes_and_places_and_none_of_housings(
    station: Run, make_config: MakeConfig, tmp_path: Path
) -> None:
    parts = (
        Shown("GOOD", RING, "good", 150),
        Shown("CRACKED", RING, "crack", 190),
        Shown("STAINED", RING, "stain", 100),
        Shown("DOUBTED", RING, "good", 169),
    )
    labels = {part.part_id: part.label for part in parts}
    config = make_config(*product(RINGS, (RING,), tmp_path))
    console = Console(file=io.StringIO(), record=True, force_terminal=True, width=160)
    with CellView(console, load_settings(config).table) as view:
        recording = make_recording(tmp_path / "recording", parts)
        async with product_cell(config, recording, tmp_path, view.watch) as cell:
            await cell.take_all(len(parts))
            rows = [part_row(event, labels[name], cell.station.model_of(event)) for name, event in cell.sorted.items()]
    console.print(parts_table(rows, cell.settings.table))
    seen = console.export_text()
    for words in (r"GOOD +good +1\.000 +→ good_parts", r"CRACKED +crack .*→ bin", r"STAINED +stain .*→ bin",
                  r"DOUBTED +review .*→ bin .*part\.low_confidence", r"bins +bin 3 +good_parts 1"):  # fmt: skip
        assert re.search(words, seen), (words, seen)
    where = ("--config", str(config), "--data", str(tmp_path / "data"))
    listed = station("records", "list", *where).stdout
    shown = station("records", "show", rows[2]["inspection_id"], *where).stdout
    exported = station("records", "export", "--csv", *where).stdout
    whole = station("records", "export", "--json", *where).stdout
    registers = station("registers", "plc", "--format", "csv", "--config", config).stdout
    for told in (seen, listed, shown, exported, whole, registers):
        assert HOUSINGS.findall(told) == []
    assert all(name in listed for name in ("good", "crack", "stain", "review", "good_parts", "bin"))
    assert re.search(r"^verdict +stain +confidence 1\.000 *$", shown, re.MULTILINE)
    assert re.search(r"^recipe +ring@[0-9a-f]{12} +algorithm1 *$", shown, re.MULTILINE)
    keys = ("part_id", "verdict", "destination", "confirmed_bin")
    told_rows = [
        ("GOOD", "good", "good_parts", "good_parts"),
        ("CRACKED", "crack", "bin", "bin"),
        ("STAINED", "stain", "bin", "bin"),
        ("DOUBTED", "review", "bin", "bin"),
    ]
    assert [tuple(row[key] for key in keys) for row in csv.DictReader(io.StringIO(exported))] == told_rows
    assert [tuple(row[key] for key in keys) for row in json.loads(whole)] == told_rows
    meanings = {row["name"]: row["meaning"] for row in csv.DictReader(io.StringIO(registers))}
    assert f"0 = none, {GOOD} = good, {CRACK} = crack, {STAIN} = stain, {REVIEW} = review." in meanings["decision"]
    assert f"0 = none, {BIN} = bin, {GOOD_PARTS} = good_parts." in meanings["destination"]
    assert "bit 2 bin" in meanings["bins_full"]
    assert "bit 6 good_parts" in meanings["bins_full"]


def test_images_of_two_types_are_judged_from_disk_with_pictures_as_on_the_jig(
    station: Run, make_config: MakeConfig, tmp_path: Path
) -> None:
    parts = (
        Shown("R1", RING, "good", 150),
        Shown("S1", SLEEVE, "rust", 90, {3: 210, 9: 198}),
        Shown("R2", RING, "stain", 150, {4: 100}),
        Shown("S2", SLEEVE, "good", 90),
    )
    recording, pictures = make_recording(tmp_path / "recording", parts), tmp_path / "pictures"
    config = make_config(*product(RINGS_AND_SLEEVES, (RING, SLEEVE), tmp_path))
    judged = station("inspect", recording, "--config", config, "--picture", pictures, "--json")
    assert judged.returncode == 0, judged.stdout + judged.stderr
    said = [(Path(row["file"]).stem, row["verdict"], row["algorithm1"]) for row in json.loads(judged.stdout)]
    assert said == [("R1", "good", "good"), ("S1", "rust", "dent"), ("R2", "stain", "stain"), ("S2", "good", "good")]
    assert sorted(path.name for path in pictures.iterdir()) == [
        "R1.good.png", "R2.stain.png", "S1.rust.png", "S2.good.png",
    ]  # fmt: skip
    assert HOUSINGS.findall(judged.stdout) == []
