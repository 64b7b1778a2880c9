"""Networks that wait on a page's shelf, and what the gate said of them."""

import shutil
from pathlib import Path

from models.manifest import MANIFEST, Manifest, load_bundle, utc_now
from models.release.gate_report import Contender, GateReport, Refusal
from models.release.shelf import Shelf
from models.weights import SHIPPED, bundle_folder
from station.core.part import ModelIdentity
from station.host.bundles import find_bundle, find_shelf
from tests.page_bench import PageBench


def put(folder: Path, name: str = "other-2", of: Manifest | None = None) -> ModelIdentity:
    """The shipped network under another name, and with a manifest of one's own."""
    shutil.copytree(bundle_folder(SHIPPED), folder / name)
    manifest = of or load_bundle(folder / name).manifest
    (folder / name / MANIFEST).write_text(manifest.model_copy(update={"name": name}).model_dump_json())
    return load_bundle(folder / name).identity


def gated(bench: PageBench, new: ModelIdentity, against: ModelIdentity, *refusals: str) -> None:
    """What the gate leaves when it has judged a bundle."""
    report = GateReport(
        created=utc_now(), code_version="0", passed=not refusals, measured=None,
        refusals=tuple(Refusal(check="golden", text=text) for text in refusals),
        new=Contender(name=new.name, sha256=new.sha256), against=Contender(name=against.name, sha256=against.sha256),
    )  # fmt: skip
    shelf_of(bench).keep_verdict(report, None)


def shelf_of(bench: PageBench) -> Shelf:
    """Where the page's station has its promoted networks."""
    return find_shelf(bench.served.desk.settings, bench.served.desk.folder)


def judging(bench: PageBench) -> ModelIdentity:
    """What a station that starts now would use."""
    return find_bundle(bench.served.desk.settings, bench.served.desk.folder).identity
