"""No object has more attributes than one keeps in mind; rows of files, of the configuration and of pages may."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("station", "drivers", "config", "models", "sim", "tests")
MOST = 12
ROWS = {"BaseModel", "TypedDict", "NamedTuple"}
"""What mirrors the rows of a file, of a page or of a command line derives from one of these, with as many fields."""


def classes() -> Iterator[tuple[str, ast.ClassDef]]:
    """Every class with the file that it stands in."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    yield str(path.relative_to(ROOT)), node


def attributes(node: ast.ClassDef) -> set[str]:
    """Names that are assigned to `self`, and fields with an annotation."""
    stored = {
        one.attr
        for one in ast.walk(node)
        if isinstance(one, ast.Attribute)
        and isinstance(one.ctx, ast.Store)
        and isinstance(one.value, ast.Name)
        and one.value.id == "self"
    }
    fields = (one for one in node.body if isinstance(one, ast.AnnAssign) and "ClassVar" not in ast.unparse(one))
    return stored | {one.target.id for one in fields if isinstance(one.target, ast.Name)}


def bases(node: ast.ClassDef) -> set[str]:
    """The last names of what a class derives from."""
    return {ast.unparse(base).rpartition(".")[2] for base in node.bases}


def rows(found: list[tuple[str, ast.ClassDef]]) -> set[str]:
    """The names of all classes that derive from `ROWS`, however far."""
    known = set(ROWS)
    while more := {node.name for _, node in found if bases(node) & known} - known:
        known |= more
    return known


def large(found: list[tuple[str, ast.ClassDef]]) -> dict[str, int]:
    """The objects with more than `MOST` attributes, and how many they have."""
    exempt = rows(found)
    counts = {f"{path} {node.name}": len(attributes(node)) for path, node in found if not bases(node) & exempt}
    return {name: count for name, count in counts.items() if count > MOST}


def test_no_object_has_more_attributes_than_one_keeps_in_mind() -> None:
    found = large(list(classes()))
    assert found == {}


def test_a_large_object_is_noticed_and_a_row_is_none() -> None:
    fields = "\n".join(f"    field_{number}: int" for number in range(MOST + 1))
    body = "\n".join(f"        self.field_{number} = number" for number in range(MOST + 1))
    method = f"    def __init__(self, number):\n{body}"
    row = f"class Row(Section):\n{fields}\nclass Section(BaseModel):\n    pass"
    planted = f"class Fields:\n{fields}\nclass Method:\n{method}\n{row}"
    found = [("a.py", node) for node in ast.parse(planted).body if isinstance(node, ast.ClassDef)]
    assert large(found) == {"a.py Fields": MOST + 1, "a.py Method": MOST + 1}
