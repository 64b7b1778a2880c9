"""What is installed is locked by hash, named in NOTICE, and told in a bill of materials."""

import json
import re
import tomllib
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from typer.testing import CliRunner

from station.cli.app import app
from station.core.errors import ConfigError
from station.offline.upkeep.inventory import Package, installed, package_of
from station.offline.upkeep.notice import CHAPTERS, REMARKS, notice

ROOT = Path(__file__).parents[2]
LOCKS = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "requirements").glob("*.txt"))}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LINE = re.compile(r"([A-Za-z0-9._-]+)==([^\s;]+)(?: ; .+)?")
MIT = {"name": "any", "version": "1", "license_expression": "MIT"}


def pins(lock: str) -> dict[str, str]:
    found = map(LINE.fullmatch, (entry.split(" \\\n")[0] for entry in entries(lock)))
    return {canonicalize_name(match[1]): match[2] for match in found if match}


def entries(lock: str) -> list[str]:
    """Every requirement of a file with its hashes."""
    text = "".join(line for line in LOCKS[lock].splitlines(keepends=True) if not line.startswith("#"))
    return re.split(r"\n(?! )", text.rstrip("\n"))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_one_version_with_its_hashes_and_nothing_else(lock: str) -> None:
    for entry in entries(lock):
        first, *hashes = entry.split(" \\\n")
        assert LINE.fullmatch(first), first
        assert hashes, f"{first} has no hash"
        assert all(re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}", one) for one in hashes), entry


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("run", PROJECT["project"]["dependencies"]),
        ("page", PROJECT["project"]["optional-dependencies"]["page"]),
        ("fleet", PROJECT["project"]["optional-dependencies"]["fleet"]),
        ("opcua", PROJECT["project"]["optional-dependencies"]["opcua"]),
        ("sparkplug", PROJECT["project"]["optional-dependencies"]["sparkplug"]),
        ("central", PROJECT["project"]["optional-dependencies"]["central"]),
        ("store", PROJECT["dependency-groups"]["store"]),
        ("cluster", PROJECT["project"]["optional-dependencies"]["cluster"]),
        ("dev", PROJECT["project"]["optional-dependencies"]["dev"]),
        ("browser", PROJECT["project"]["optional-dependencies"]["browser"]),
        ("train", PROJECT["project"]["optional-dependencies"]["train"]),
        ("build", [*PROJECT["dependency-groups"]["build"], *PROJECT["build-system"]["requires"]]),
        ("compiler", PROJECT["dependency-groups"]["compiler"]),
    ],
)
def test_all_that_is_required_is_locked_in_a_version_that_is_allowed(lock: str, wanted: list[str]) -> None:
    locked = pins(lock)
    for need in map(Requirement, wanted):
        assert need.specifier.contains(locked[canonicalize_name(need.name)]), f"{need}: run `make lock`"


def test_what_lies_beside_what_runs_the_station_agrees_with_it() -> None:
    beside = ("page", "fleet", "opcua", "sparkplug", "central", "dev", "browser", "cluster", "train")
    assert not set(pins("run")) & {name for lock in beside for name in pins(lock)}
    for one, other in (*combinations(beside, 2), ("build", "train")):
        both = set(pins(one)) & set(pins(other))
        assert {name: pins(one)[name] for name in both} == {name: pins(other)[name] for name in both}


def test_the_running_station_requires_nothing_that_is_not_locked() -> None:
    found = {package.key: package.version for package in installed()[1:]}
    assert found == {name: version for name, version in pins("run").items() if name in found}


# ---------------------------------------------------------------------- NOTICE


def chapters() -> dict[str, dict[str, str]]:
    """Of each chapter of NOTICE every package with what is said of it."""
    text = (ROOT / "NOTICE").read_text(encoding="utf-8").replace("\n" + " " * 30, " ")
    found = {}
    for lock, title in CHAPTERS.items():
        rows = text.split(f"{title}\n")[1].split("\n\n")[0].splitlines()
        found[lock] = {canonicalize_name(row.split()[0]): row.split(maxsplit=1)[1] for row in rows}
    return found


def test_notice_names_every_locked_package_and_no_other() -> None:
    before: set[str] = set()
    for lock, named in chapters().items():
        assert set(named) == set(pins(lock)) - before, f"{lock}: run `make notice`"
        before |= set(named)


def test_notice_says_of_every_installed_package_what_it_tells_of_itself() -> None:
    named = chapters()["run"]
    for package in installed()[1:]:
        assert named[package.key].split(";")[0] == package.licence, "run: make notice"


def test_notice_tells_what_metadata_do_not() -> None:
    named = chapters()
    for name, remark in REMARKS.items():
        told = next(rows[canonicalize_name(name)] for rows in named.values() if canonicalize_name(name) in rows)
        assert told.endswith(f"; {remark}")


def test_a_package_of_several_is_named_once() -> None:
    both = Package("Both", "1", "MIT")
    more = Package("More", "1", "ISC")
    text = notice([[both], [both, more], [more, both], [], [], [], [], [both]])
    assert (text.count("Both"), text.count("More")) == (1, 1)


@pytest.mark.parametrize(
    ("told", "licence", "expression"),
    [
        ({"license_expression": "MIT OR Apache-2.0"}, "MIT OR Apache-2.0", True),
        ({"license": "Apache 2.0"}, "Apache-2.0", True),
        ({"license": "OSI Approved :: Apache Software License"}, "Apache-2.0", True),
        ({"license": "LicenseRef-GenICam-1.6"}, "LicenseRef-GenICam-1.6", True),
        ({"license": "BSD"}, "BSD", False),
        ({"license": "BSD 3-Clause License\n\nCopyright (c) 2021"}, "BSD-3-Clause", True),
        ({"license": "Copyright\n\nNeither the name of X may be used to endorse"}, "BSD-3-Clause", True),
        ({"license": "A text\nof lines", "classifier": ["License :: OSI Approved :: MIT License"]}, "MIT", True),
        ({"classifier": ["License :: OSI Approved :: Apache Software License"]}, "Apache-2.0", True),
        (
            {"classifier": ["Framework :: X", "License :: Other/Proprietary License"]},
            "Other/Proprietary License",
            False,
        ),
    ],
)
def test_a_licence_is_read_from_wherever_it_is_told(told: dict[str, str], licence: str, *, expression: bool) -> None:
    package = package_of({"name": "any", "version": "1", **told})
    assert (package.licence, package.has_expression) == (licence, expression)


def test_a_package_without_a_licence_is_refused() -> None:
    with pytest.raises(ConfigError, match="the package any tells no licence"):
        package_of({"name": "any", "version": "1"})


def test_what_only_an_extra_or_another_system_requires_is_left_out() -> None:
    needs = ["Always>=1", "Never; sys_platform == 'win32'", "Wished[more]; extra == 'wish'"]
    assert package_of({**MIT, "requires_dist": needs}).requires == ("always",)
    assert package_of({**MIT, "requires_dist": needs}, {"wish"}).requires == ("always", "wished")


# ---------------------------------------------------------------------- bill of materials


def test_the_bill_of_materials_is_valid_and_whole(tmp_path: Path) -> None:
    file = tmp_path / "sbom.json"
    result = CliRunner().invoke(app, ["sbom", "--out", str(file)])
    assert result.exit_code == 0, result.output
    text = file.read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    libraries = {row["purl"]: row for row in document["components"] if row["type"] == "library"}
    locked = pins("run")
    assert set(libraries) == {f"pkg:pypi/{name}@{version}" for name, version in locked.items()}
    assert libraries[f"pkg:pypi/genicam@{locked['genicam']}"]["licenses"] == [{"expression": "LicenseRef-GenICam-1.6"}]
    assert document["metadata"]["component"]["purl"].startswith("pkg:pypi/inspection-station@")
    assert datetime.fromisoformat(document["metadata"]["timestamp"]) <= datetime.now(UTC)
    (network,) = [row for row in document["components"] if row["type"] == "machine-learning-model"]
    assert re.fullmatch("[0-9a-f]{64}", network["hashes"][0]["content"])
    known = {document["metadata"]["component"]["bom-ref"], *(row["bom-ref"] for row in document["components"])}
    assert {row["ref"] for row in document["dependencies"]} == known
    assert {one for row in document["dependencies"] for one in row.get("dependsOn", [])} < known


def test_the_bill_of_materials_needs_a_wheel_of_everything_whose_hash_it_shall_tell(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["sbom", "--wheels", str(tmp_path)])
    assert isinstance(result.exception, ConfigError)
    assert f"{tmp_path} has no wheel of inspection-station" in str(result.exception)
