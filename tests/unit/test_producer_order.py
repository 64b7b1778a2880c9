"""The simulated camera's C files are read in an order: none calls, and none includes, what leads back to it."""

import graphlib
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from sim.gentl.build import FOUND, SOURCES
from station.core.compiler import find_compiler
from tests.elf import Names, names_in

FOLDERS = ("base", "camera", "stream", "acquisition", "transport")
"""Each knows those before it."""

Arrows = dict[str, set[str]]
"""From a file, named with its folder, to those that it needs."""


def includes(root: Path) -> Arrows:
    """Which files of a tree each file includes; the compiler looks for them from the tree's root."""
    files = [path for kind in ("c", "h") for path in root.rglob(f"*.{kind}")]
    quoted = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
    return {str(path.relative_to(root)): set(quoted.findall(path.read_text())) for path in files}


def calls(root: Path, objects: Path) -> Arrows:
    """Which C files define the functions and variables that each C file of a tree names."""
    names = {str(source.relative_to(root)): compiled(source, root, objects) for source in root.rglob("*.c")}
    owners = {name: source for source, of in names.items() for name in of.defined}
    return {source: {owners[name] for name in of.wanted if name in owners} for source, of in names.items()}


def compiled(source: Path, root: Path, objects: Path) -> Names:
    target = objects / source.relative_to(root).with_suffix(".o")
    target.parent.mkdir(parents=True, exist_ok=True)
    flags = ["-std=c11", "-D_GNU_SOURCE", "-fPIC", "-O0", "-fno-lto", f"-I{root}", *FOUND]
    subprocess.run([*find_compiler(), *flags, "-c", str(source), "-o", str(target)], check=True)
    return names_in(target)


def circle(arrows: Mapping[str, Iterable[str]]) -> list[str]:
    """The files of one circle, empty when there is none."""
    try:
        graphlib.TopologicalSorter(arrows).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def back_up(*arrows: Arrows) -> list[str]:
    """Arrows from a folder to one that stands after it."""
    every = [(source, target) for some in arrows for source, targets in some.items() for target in targets]
    return sorted(
        f"{source} -> {target}"
        for source, target in every
        if "/" in source and "/" in target and rank(source) < rank(target)
    )


def rank(file: str) -> int:
    return FOLDERS.index(file.partition("/")[0])


@pytest.fixture(scope="module")
def producer_calls(tmp_path_factory: pytest.TempPathFactory) -> Arrows:
    return calls(SOURCES, tmp_path_factory.mktemp("objects"))


def test_no_file_calls_what_leads_back_to_it(producer_calls: Arrows) -> None:
    assert len(producer_calls) > 30
    assert "camera/scene.c" in producer_calls["acquisition/exposure.c"], "calls are not seen"
    assert circle(producer_calls) == []


def test_no_file_includes_what_leads_back_to_it() -> None:
    arrows = includes(SOURCES)
    assert {name for targets in arrows.values() for name in targets} <= set(arrows), "an include that is not found"
    assert circle(arrows) == []


def test_each_folder_knows_only_those_before_it(producer_calls: Arrows) -> None:
    assert {path.parent.name for path in SOURCES.glob("*/*.c")} == set(FOLDERS)
    assert back_up(producer_calls, includes(SOURCES)) == []


def planted(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


CIRCLE = {
    "base/one.c": "int two(void); int one(void) { return two(); }\n",
    "base/two.c": "int three(void); int two(void) { return three(); }\n",
    "camera/three.c": "int one(void); int (*three_calls)(void) = one; int three(void) { return 3; }\n",
}


def test_a_planted_circle_of_calls_is_found(tmp_path: Path) -> None:
    arrows = calls(planted(tmp_path / "tree", CIRCLE), tmp_path / "objects")
    assert set(circle(arrows)) == set(CIRCLE)
    assert back_up(arrows) == ["base/two.c -> camera/three.c"]


def test_static_functions_of_one_name_are_no_call(tmp_path: Path) -> None:
    twice = {
        f"base/{name}.c": f"static int find(void) {{ return 1; }} int {name}(void) {{ return find(); }}\n"
        for name in "ab"
    }
    assert circle(calls(planted(tmp_path / "tree", twice), tmp_path / "objects")) == []


def test_a_planted_circle_of_includes_is_found(tmp_path: Path) -> None:
    headers = {"base/one.h": '#include "camera/two.h"\n', "camera/two.h": '#  include "base/one.h"\n'}
    arrows = includes(planted(tmp_path, headers))
    assert set(circle(arrows)) == set(headers)
    assert back_up(arrows) == ["base/one.h -> camera/two.h"]


def test_what_is_no_object_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.o").write_text("no object")
    with pytest.raises(ValueError, match="no little-endian ELF"):
        names_in(tmp_path / "text.o")
