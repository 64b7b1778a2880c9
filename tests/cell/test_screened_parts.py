"""A pair of networks in the whole cell: what the screener passes is recorded, and nothing passes by it unproven."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from models.manifest import load_bundle
from station.cli.model import model_app
from station.core.errors import StationError
from station.core.settings import load_settings
from station.host.recipes import make_recipes
from tests.cell.product_bench import product_cell
from tests.cell.product_lines import HALF_TURN, RING, RINGS
from tests.cell.products import Kind, Shown, make_recording, product
from tests.screeners import PROVEN, add_grey_screener

MakeConfig = Callable[..., Path]


@dataclass(frozen=True)
class Paired(Kind):
    """A kind whose bundle has a screener that takes the same greys, proven on so many parts."""

    parts: int = PROVEN.all_parts

    def make_bundle(self, folder: Path) -> Path:
        bundle = super().make_bundle(folder)
        proven = PROVEN.model_copy(update={"parts": {self.name: self.parts}})
        add_grey_screener(load_bundle(bundle), self.greys, proven=proven)
        return bundle


PIPE = Paired("pipe", 4, 400, HALF_TURN, "good", RING.greys)
GREY = PIPE.greys["good"]
CRACKED = {1: PIPE.greys["crack"]}
EVERY = list(range(HALF_TURN.patches_per_part))


def model(command: str, config: Path, *words: object) -> Result:
    return CliRunner().invoke(model_app, [str(word) for word in (command, *words, "--config", config)])


async def test_the_record_tells_which_network_judged_each_patch(make_config: MakeConfig, tmp_path: Path) -> None:
    config = make_config(*product(RINGS, (PIPE,), tmp_path))
    shown = (Shown("GOOD", PIPE, "good", GREY), Shown("BAD", PIPE, "crack", GREY, CRACKED))
    async with product_cell(config, make_recording(tmp_path / "shown", shown), tmp_path) as cell:
        await cell.take_all(2)
    records = cell.records()
    assert {name: record["verdict"] for name, record in records.items()} == {"GOOD": "good", "BAD": "crack"}
    assert records["GOOD"]["screened"] == EVERY
    assert records["BAD"]["screened"] == [patch for patch in EVERY if patch not in CRACKED]


async def test_a_pair_of_which_too_little_is_proven_never_starts_and_its_network_alone_does(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    few = Paired("pipe", 4, 400, HALF_TURN, "good", RING.greys, parts=2994)
    config = make_config(*product(RINGS, (few,), tmp_path))
    recording = make_recording(tmp_path / "shown", (Shown("GOOD", few, "good", GREY),))
    with pytest.raises(StationError) as refused:
        async with product_cell(config, recording, tmp_path):
            pass
    assert refused.value.code == "model.screener_unproven"
    assert "part_types.pipe: pipe-1: it was proven on 2994 parts, at least 2995" in refused.value.detail
    assert not (tmp_path / "data" / "records.sqlite").exists()
    text = config.read_text(encoding="utf-8").replace("[model]\n", "[model]\nscreener = false\n", 1)
    config.write_text(text, encoding="utf-8")
    async with product_cell(config, recording, tmp_path) as cell:
        await cell.take_all(1)
    record = cell.records()["GOOD"]
    assert (record["verdict"], record["screened"]) == ("good", None)


def test_parts_prove_what_the_screener_passes_and_too_few_of_them_no_station_runs(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    config = make_config(*product(RINGS, (PIPE,), tmp_path))
    cracked = [Shown(f"C{n}", PIPE, "crack", GREY, {n % 4: PIPE.greys["crack"] - n}) for n in range(6)]
    others = [Shown(f"O{n}", PIPE, "good", GREY + n - 1) for n in range(3)]
    others += [Shown("OC", PIPE, "crack", GREY, CRACKED)]
    choose, prove = make_recording(tmp_path / "pale", tuple(cracked)), make_recording(tmp_path / "new", tuple(others))
    copy = tmp_path / "pipe-2"
    words = ("--choose", choose, "--prove", prove, "--target", 0.4)
    result = model("screen", config, tmp_path / "pipe-1", copy, *words)
    assert result.exit_code == 0, result.output
    proof = load_bundle(copy).screener.proof_of("openvino", "int8")
    assert proof is not None
    assert (proof.chosen.parts, proof.chosen.passed_alone, proof.chosen.source) == (6, 0, "pale")
    assert proof.proven.parts == {"pipe": 4}
    assert (proof.proven.not_passed, proof.proven.passed_alone, proof.proven.otherwise) == (1, 0, 0)
    assert proof.proven.screened == 4 * len(EVERY) - len(CRACKED)
    assert "of 4 parts (new), 1 of which the network in f32 does not pass, the pair passed 0" in result.output
    other = config.with_name("other.toml")
    other.write_text(config.read_text(encoding="utf-8").replace("pipe-1", "pipe-2"), encoding="utf-8")
    with pytest.raises(StationError, match="proven on 4 parts"):
        make_recipes(load_settings(other))


def test_a_part_that_chose_the_threshold_proves_nothing(make_config: MakeConfig, tmp_path: Path) -> None:
    config = make_config(*product(RINGS, (PIPE,), tmp_path))
    cracked = tuple(Shown(f"C{n}", PIPE, "crack", GREY, {n % 4: PIPE.greys["crack"] - n}) for n in range(6))
    choose = make_recording(tmp_path / "pale", cracked)
    prove = make_recording(tmp_path / "new", (*cracked, Shown("O", PIPE, "good", GREY)))
    copy = tmp_path / "pipe-2"
    words = ("--choose", choose, "--prove", prove, "--target", 0.4)
    result = model("screen", config, tmp_path / "pipe-1", copy, *words)
    assert result.exit_code == 0, result.output
    assert "Left out: 6 were trained on" in result.output
    proof = load_bundle(copy).screener.proof_of("openvino", "int8")
    assert proof is not None
    assert proof.proven.parts == {"pipe": 1}


@pytest.mark.parametrize(
    ("bundle", "code", "why"),
    [("alone/ring-1", "model.missing", "has no screener"), ("pipe-1", "model.export_failed", "0 of 1")],
)
def test_what_cannot_be_proven_is_refused_and_nothing_is_left(
    make_config: MakeConfig, tmp_path: Path, bundle: str, code: str, why: str
) -> None:
    config = make_config(*product(RINGS, (PIPE,), tmp_path))
    (tmp_path / "alone").mkdir()
    RING.make_bundle(tmp_path / "alone")
    pale = make_recording(tmp_path / "pale", (Shown("C", PIPE, "crack", GREY, CRACKED),))
    result = model("screen", config, tmp_path / bundle, tmp_path / "copy", "--choose", pale, "--prove", pale)
    assert isinstance(result.exception, StationError), result.output
    assert result.exception.code == code
    assert why in result.exception.detail
    assert not (tmp_path / "copy").exists()
