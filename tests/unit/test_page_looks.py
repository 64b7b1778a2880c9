"""One part, closer: the whole scan in tiles, and why its network says what it says, by a process of its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from models.weights import SHIPPED, bundle_folder
from station.core.errors import PageError
from station.core.part import Pixels
from station.core.records import JsonObject
from station.page import grounds
from station.page.findings import looked_at
from station.page.grounds import MOST_WAITING, Grounds
from station.page.roles import Role
from station.page.surface import TILE_PX, read_surface
from tests.page_bench import PageBench, page_settings, paged
from tests.page_parts import Inspected, scan
from tests.turned import GEOMETRY


@pytest.fixture(scope="module")
def inspected(tmp_path_factory: pytest.TempPathFactory) -> Inspected:
    return Inspected.at(tmp_path_factory.mktemp("looks") / "data")


@pytest.fixture
async def bench(inspected: Inspected) -> AsyncIterator[PageBench]:
    for file in inspected.folder.glob("page.db*"):
        file.unlink()
    async with paged(inspected.folder) as page:
        yield page


def picture(answer: httpx.Response) -> Pixels:
    assert answer.headers["content-type"] == "image/png"
    return np.asarray(cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)


# ---------------------------------------------------------------------- the whole scan


async def test_the_tiles_of_a_scan_put_together_are_the_scan_as_the_camera_gave_it(
    bench: PageBench, inspected: Inspected
) -> None:
    async with bench.browser(bench.admit(Role.OPERATOR)) as browser:
        told = (await browser.get(f"/parts/{inspected.pits}/scan")).json()
        kept = inspected.folder / bench.served.desk.records.record(inspected.pits)["scan_file"]
        whole = np.asarray(cv2.imread(str(kept), cv2.IMREAD_UNCHANGED), np.uint8)
        assert (told["width"], told["height"], told["tile"]) == (*whole.shape, TILE_PX)
        rows = [
            np.hstack([
                picture(await browser.get(f"/parts/{inspected.pits}/scan/{row}/{column}.png"))
                for column in range(-(-told["width"] // TILE_PX))
            ])
            for row in range(-(-told["height"] // TILE_PX))
        ]  # fmt: skip
    assert np.array_equal(np.vstack(rows), whole.T)
    assert whole.shape[1] > scan().shape[1] // 2, "background and all"


@pytest.mark.parametrize("tile", ["9/0", "0/99", "-1/0", "0/x", "0/9999999", "%2e%2e/0"])
async def test_a_tile_that_there_is_not_is_refused(bench: PageBench, inspected: Inspected, tile: str) -> None:
    async with bench.browser(bench.admit(Role.OPERATOR)) as browser:
        assert (await browser.get(f"/parts/{inspected.pits}/scan/{tile}.png")).status_code in {404, 422}
        assert (await browser.get(f"/parts/{inspected.good}/scan")).status_code == 422, "no scan was kept"


# ---------------------------------------------------------------------- why


def test_the_patch_that_is_looked_at_is_the_unknown_one_or_the_one_that_decided(
    bench: PageBench, inspected: Inspected
) -> None:
    record = bench.served.desk.records.record(inspected.pits)
    known = {"score": 1.0, "patch": 4, "p": 0.5, "alpha": 0.01}
    for novelty, index in ((None, 9), (known, 9), ({**known, "p": None}, 9), ({**known, "p": 0.005}, 4)):
        patch = looked_at({**record, "novelty": novelty})
        assert patch is not None
        assert patch.index == index
    assert looked_at({**record, "novelty": None, "deciding_patch": None}) is None


async def test_a_network_looks_again_in_a_process_of_its_own_and_its_answer_is_kept(
    bench: PageBench, inspected: Inspected, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, asked = bench.served.desk.records.record(inspected.pits), bench.served.desk.grounds
    seen = await asked.of(record, bundle_folder(SHIPPED), 9, "pits")
    patch = cv2.imdecode(np.frombuffer(seen.pictures[0], np.uint8), cv2.IMREAD_UNCHANGED)
    assert patch.shape == (256, 256, 3)
    shown = read_surface(record, inspected.folder)
    lines, columns = GEOMETRY.lines_per_block, shown.shape[0] // GEOMETRY.patches_per_strip
    there = cv2.resize(shown[columns:, 4 * lines : 5 * lines], (256, 256), interpolation=cv2.INTER_AREA).astype(int)
    apart, turned = (abs(patch[..., 0] - one).mean() for one in (there, there.T))
    assert apart < turned / 3, "it lies as on the surface above it"
    assert (seen.patch, seen.surface, len(seen.pictures)) == (9, "pits", 1 + len(seen.classes))
    monkeypatch.setattr(grounds, "COMMAND", "raise SystemExit(3)")
    assert await asked.of(record, bundle_folder(SHIPPED), 9, "pits") is seen


async def test_what_judged_a_part_and_is_gone_is_named(bench: PageBench, inspected: Inspected) -> None:
    async with bench.browser(bench.admit(Role.OPERATOR)) as browser:
        answer = await browser.get(f"/parts/{inspected.pits}/grounds")
        assert answer.status_code == 422
        assert "cannot be had any more" in answer.json()["refused"]
        assert "no network judged it" in (await browser.get(f"/parts/{inspected.in_work}/grounds")).json()["refused"]
        assert (await browser.get(f"/parts/{inspected.pits}/grounds/x.png")).status_code == 422


@pytest.fixture
def record(bench: PageBench, inspected: Inspected) -> JsonObject:
    return bench.served.desk.records.record(inspected.pits)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("raise SystemExit(3)", "without an answer"),
        ("import sys; sys.exit('the engine is broken')", "the engine is broken"),
        ("print('{}x')", "without an answer"),
        ("from station.page.looking import main; main()", "bundle"),
    ],
)
async def test_a_network_that_cannot_look_says_why(
    tmp_path: Path, record: JsonObject, monkeypatch: pytest.MonkeyPatch, command: str, told: str
) -> None:
    monkeypatch.setattr(grounds, "COMMAND", command)
    with pytest.raises(PageError, match=told) as refused:
        await Grounds(tmp_path, page_settings()).of(record, tmp_path / "no bundle", 9, "pits")
    assert refused.value.code == "page.no_grounds"


async def test_a_network_that_looks_for_ever_is_ended_and_few_wait_for_it(
    tmp_path: Path, record: JsonObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grounds, "COMMAND", "import time; time.sleep(600)")
    monkeypatch.setattr(grounds, "PATIENCE_S", 1.0)
    asked = Grounds(tmp_path, page_settings())
    waiting = [
        asked.of({**record, "inspection_id": str(number)}, tmp_path, 9, "pits") for number in range(MOST_WAITING + 1)
    ]
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    told = [str(answer) for answer in answers]
    assert sum("took longer" in one for one in told) == MOST_WAITING
    assert sum("try again" in one for one in told) == 1


async def test_the_page_ends_though_a_network_looks(
    tmp_path: Path, record: JsonObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grounds, "COMMAND", "import time; time.sleep(600)")
    asked = Grounds(tmp_path, page_settings())
    looking = asyncio.create_task(asked.of(record, tmp_path, 9, "pits"))
    while asked._looking is None:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await asked.close()
    with pytest.raises(PageError, match="without an answer"):
        await looking
