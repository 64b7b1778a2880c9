"""Every line that is logged is called as the list of event names says, and the list has no name that nothing logs."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from station.core.log_events import EventName

ROOT = Path(__file__).parents[2]
NAMES = get_args(EventName)
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


@cache
def trees() -> dict[str, ast.Module]:
    """Every module of the project by its path."""
    return {
        str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
        for package in ("station", "drivers", "models", "sim", "config")
        for path in (ROOT / package).rglob("*.py")
        if path.name != "log_events.py"
    }


def logged(tree: ast.AST) -> Iterator[str]:
    """The event names in the functions of a module, or the expressions that nothing holds to the list."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from logged(node)
            continue
        for call in ast.walk(node):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in {f"log.{level}" for level in LEVELS}:
                yield from events_of(call.args[0], node)


def events_of(argument: ast.expr, function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """What this argument may be; nothing where it is a parameter whose type is the list: mypy looks at its callers."""
    if isinstance(argument, ast.Constant):
        return [str(argument.value)]
    name = ast.unparse(argument)
    if any(
        one.arg == name and one.annotation and ast.unparse(one.annotation) == "EventName" for one in function.args.args
    ):
        return []
    return list(assigned_to(name, function)) or [name]


def assigned_to(name: str, function: ast.AST) -> Iterator[str]:
    """The constants that a function assigns to a name, alone or first in a pair."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).strip("()").split(", ")[0] == name:
            value = node.value.elts[0] if isinstance(node.value, ast.Tuple) else node.value
            yield ast.literal_eval(value)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f():\n    log.info('part_sorted')", ["part_sorted"]),
        ("def f(event: EventName):\n    log.info(event)", []),
        ("def f(event: str):\n    log.info(event)", ["event"]),
        ("def f():\n    event, y = 'a', 1\n    event, y = 'b', 2\n    log.error(event)", ["a", "b"]),
        ("def f(event: EventName):\n    def g():\n        log.critical(event)", []),
        ("async def f():\n    log.warning(f'part_{x}')", ["f'part_{x}'"]),
    ],
)  # fmt: skip
def test_what_a_module_logs_is_found(source: str, found: list[str]) -> None:
    assert list(logged(ast.parse(source))) == found


def test_every_module_logs_names_of_the_list() -> None:
    unknown = {module: names for module, tree in trees().items() if (names := set(logged(tree)) - set(NAMES))}
    assert unknown == {}


def test_no_name_of_the_list_is_unused() -> None:
    written = {
        node.value for tree in trees().values() for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }  # fmt: skip
    assert set(NAMES) - written == set()


def test_the_list_is_sorted_and_names_each_event_once() -> None:
    assert list(NAMES) == sorted(set(NAMES))
