"""Scans in a store, judged again: listed in pages, read one by one, and whatever a store refuses is told."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.store import MemoryStore

from models.errors import ArchiveError
from models.manifest import load_bundle
from station.core.errors import RecordingError
from station.core.settings import load_settings
from tests.cell.product_lines import RING, RINGS
from tests.cell.products import Shown, make_recording, product
from tests.free_port import free_port
from tests.plant.scan_store import BUCKET, KEY_ID, SECRET, Store, scan_store

pytest.importorskip("pyarrow", reason="needs the packages of requirements/cluster.txt: make test-cluster")
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

from station.offline.archive import bucket as reading  # noqa: E402  # needs the packages above
from station.offline.archive.bucket import Address, Bucket, scans_of  # noqa: E402
from station.offline.archive.judging import Chunk, Judge, order_for  # noqa: E402
from tests.cell.test_archive_again import MakeConfig, by_name, inspect_archive  # noqa: E402

LABELS = ("good", "crack", "stain")


@pytest.fixture(scope="module", autouse=True)
def library() -> None:
    """What it works with stays for as long as the process does."""
    obstore.put(MemoryStore(), "first", b"")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with scan_store(tmp_path) as running:
        yield running


@pytest.fixture
def configured(make_config: MakeConfig, tmp_path: Path) -> Callable[..., Path]:
    """Writes a configuration with a store, whose network is made once."""
    plain = make_config(*product(RINGS, (RING,), tmp_path))

    def with_store(endpoint: str, key_file: Path | None) -> Path:
        lines = [f'endpoint = "{endpoint}"', "allow_http = true", *([f'key_file = "{key_file}"'] if key_file else [])]
        file = tmp_path / "with-store.toml"
        text = plain.read_text(encoding="utf-8") + "\n[central.store]\n" + "\n".join(lines) + "\n"
        file.write_text(text, encoding="utf-8")
        return file

    return with_store


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    shown = [Shown(f"R{number}", RING, name, RING.greys[name]) for number, name in enumerate(LABELS)]
    folder = make_recording(tmp_path / "scans", tuple(shown))
    (folder / "recording.jsonl").unlink()
    (folder / "R3.png").write_bytes(b"no image")
    return folder


def comparable(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in {"file", "date", "inspection_id"}}


def test_what_lies_in_a_store_is_judged_as_what_lies_in_a_folder_a_page_at_a_time_and_once(
    store: Store, configured: Callable[..., Path], scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, client = configured(store.endpoint, None), store.client()
    for name in ("R0", "R1", "R2", "R3"):
        obstore.put(client, f"copies/2026/05/01/{name}.png", (scans / f"{name}.png").read_bytes())
    for key in ("copies/notes.txt", "copies/2026/05/01/folder", "copies-of-others/R0.png"):
        obstore.put(client, key, b"")
    monkeypatch.setattr(reading, "AT_ONCE", 2)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    source, here, there = f"s3://{BUCKET}/copies/", tmp_path / "here", tmp_path / "there"
    for judged in (4, 0):
        status, told = inspect_archive(source, tmp_path / "ring-1", there, config, "--workers", "1")
        assert (status, told["outcome"]["rows"], told["outcome"]["already"]) == (int(judged > 0), judged, 4 - judged)
    assert inspect_archive(scans, tmp_path / "ring-1", here, config, "--workers", "1")[1]["outcome"]["rows"] == 4
    expected, found = by_name(here), by_name(there)
    assert {name: comparable(row) for name, row in found.items()} == {
        name: comparable(row) for name, row in expected.items()
    }
    assert {(row["file"], row["date"], row["inspection_id"]) for row in found.values()} == {
        (f"s3://{BUCKET}/copies/2026/05/01/{name}.png", "2026-05-01", name) for name in ("R0", "R1", "R2", "R3")
    }
    one = inspect_archive(f"s3://{BUCKET}/copies/2026/05/01/R1.png", tmp_path / "ring-1", there, config)[1]
    assert (one["outcome"]["scans"], one["outcome"]["already"]) == (1, 1)


def test_what_a_plant_keeps_is_compared_with_its_classes_and_a_scan_that_changed_is_tried_again(
    store: Store, configured: Callable[..., Path], scans: Path, tmp_path: Path
) -> None:
    config, client, out = configured(store.endpoint, store.key_file), store.client(), tmp_path / "out"
    contents = [(scans / f"R{number}.png").read_bytes() for number in range(3)]
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    keys = [
        f"scans/{verdict}/{digest[:2]}/{digest}"
        for verdict, digest in zip(("stain", "crack", "review"), digests, strict=True)
    ]
    for key, content in zip(keys, (contents[0], contents[1], b"rubbish"), strict=True):
        obstore.put(client, key, content)
    source = f"s3://{BUCKET}/scans"
    status, told = inspect_archive(source, tmp_path / "ring-1", out, config, "--workers", "1")
    assert (status, told["outcome"]["errors"]) == (1, {"archive.scan_changed": 1})
    (difference,) = told["comparison"]["differences"]
    assert (difference["before"], difference["after"], difference["passing"]) == ("stain", "good", "passes now")
    obstore.put(client, keys[2], contents[2])
    status, told = inspect_archive(source, tmp_path / "ring-1", out, config, "--workers", "1")
    assert (status, told["outcome"]["rows"], told["outcome"]["already"]) == (0, 1, 2)
    assert told["comparison"]["not_judged"] == 0


def test_an_object_that_has_vanished_since_it_was_listed_is_a_row_that_says_so(
    store: Store, configured: Callable[..., Path], scans: Path, tmp_path: Path
) -> None:
    settings, client = load_settings(configured(store.endpoint, store.key_file)), store.client()
    for name in ("R0", "R1"):
        content = (scans / f"{name}.png").read_bytes()
        obstore.put(client, hashlib.sha256(content).hexdigest(), content)
    listed = list(scans_of(Bucket(BUCKET, settings.central.store), Address(BUCKET, ""), settings))
    obstore.delete(client, str(listed[0].wanted.file))
    judge = Judge(order_for(settings, load_bundle(tmp_path / "ring-1"), 1, BUCKET))
    gone, there = judge.rows(Chunk(tuple(listed)))
    assert (gone["error"], gone["scan_sha256"]) == ("archive.unread", listed[0].sha256)
    assert f"{listed[0].address}: it cannot be read: it is not there any more" in gone["message"]
    assert (there.get("error"), there["scan_sha256"]) == (None, listed[1].sha256)


class Refusing(BaseHTTPRequestHandler):
    """A store that lets nobody in."""

    def do_GET(self) -> None:
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_told: object) -> None:
        """Nothing is told."""


@contextmanager
def refusing() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_a_store_that_cannot_be_used_is_refused_with_its_reason_before_anything_is_written(
    store: Store, configured: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in reading.KEY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    empty = tmp_path / "empty.key"
    empty.write_text(f"{KEY_ID}\n", encoding="ascii")
    good = configured(store.endpoint, store.key_file)

    def refusal(source: str, config: Path) -> tuple[str, str]:
        refused = inspect_archive(source, tmp_path / "ring-1", tmp_path / "out", config)[1]
        assert isinstance(refused, ArchiveError | RecordingError)
        return refused.code, refused.detail

    code, detail = refusal("s3://no-such-bucket/scans", good)
    assert (code, "no-such-bucket" in detail) == ("archive.no_store", True)
    code, detail = refusal(f"s3://{BUCKET}/scans", good)
    assert (code, f"s3://{BUCKET}/scans: no image there" in detail) == ("recording.not_found", True)
    code, detail = refusal("s3:///scans", good)
    assert (code, "no bucket is named" in detail) == ("archive.no_store", True)
    code, detail = refusal(f"s3://{BUCKET}", configured(store.endpoint, None))
    assert (code, "there is no key: give central.store.key_file" in detail) == ("archive.no_store", True)
    for file in (empty, tmp_path / "none.key"):
        code, detail = refusal(f"s3://{BUCKET}", configured(store.endpoint, file))
        assert (code, str(file) in detail) == ("archive.no_store", True)
    nowhere = f"http://127.0.0.1:{free_port()}"
    code, detail = refusal(f"s3://{BUCKET}", configured(nowhere, store.key_file))
    assert (code, nowhere in detail) == ("archive.no_store", True)
    with refusing() as closed:
        code, detail = refusal(f"s3://{BUCKET}", configured(closed, store.key_file))
        assert (code, "403" in detail or "denied" in detail.lower() or "permission" in detail.lower()) == (
            "archive.no_store",
            True,
        )
    assert not (tmp_path / "out").exists()
