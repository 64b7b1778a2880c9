"""What is inspected stands in the configuration: no code names a class, a place or the geometry of housings."""

import io
import token
import tokenize
from collections.abc import Iterator
from pathlib import Path

from tests.housings import CLASSES, GEOMETRY, TABLE

ROOT = Path(__file__).parents[2]
NAMES = {*CLASSES, *(place.name for place in TABLE.places), *(name.upper() for name in CLASSES)}
NUMBERS = {str(GEOMETRY.lines_per_turn), str(GEOMETRY.lines_per_block)}
DRAWN = ROOT / "sim" / "surfaces"
"""Renders housings, and nothing else."""
HISTORY = {
    *(ROOT / "station" / "records").glob("version_[1-5].py"),
    ROOT / "models" / "manifest_formats.py",
}
"""What databases and bundles held before classes were rows; never changed again."""


OTHERWISE = {("station/flow/turn/copies.py", "448"), ("sim/optics.py", "448")}
"""Numbers that mean something else: a chance, and the period of a noise."""


def words(path: Path) -> Iterator[tuple[int, str]]:
    """The names, numbers and texts of a module, without its comments and docstrings."""
    before = token.NEWLINE
    for one in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        stands_alone = one.type == token.STRING and before in (token.NEWLINE, token.INDENT, token.DEDENT, token.NL)
        if one.type in (token.NAME, token.NUMBER) or (one.type == token.STRING and not stands_alone):
            yield one.start[0], one.string
        if one.type not in (token.NL, tokenize.COMMENT):
            before = one.type


def test_no_code_names_a_class_a_place_or_the_geometry_of_housings() -> None:
    found = []
    for package in ("station", "drivers", "models", "sim"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if path in HISTORY or DRAWN in path.parents:
                continue
            for line, word in words(path):
                plain = word.strip("\"'")
                where = str(path.relative_to(ROOT))
                if (plain in NAMES or plain in NUMBERS) and (where, plain) not in OTHERWISE:
                    found.append(f"{where}:{line}: {word}")
    assert found == []


def test_a_name_in_code_is_found_and_one_in_a_docstring_is_not(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    text = '''"""Of pits."""

X = "pits"  # pits


def f() -> int:
    """Of 3584 lines."""
    return 3584
'''
    module.write_text(text)
    assert [word for _line, word in words(module) if word.strip('"') in NAMES | NUMBERS] == ['"pits"', "3584"]
