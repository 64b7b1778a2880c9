"""Structured Text of IEC 61131-3 that runs: parsed with tree-sitter's grammar, checked for types, called as by a PLC.

It knows what a strict PLC knows: no two types mix without a conversion, words wrap around, an index beyond its array
ends the program. What it does not know it refuses, so that nothing passes by being skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tree_sitter import Node

BITS = {"WORD": 16, "UINT": 16, "UDINT": 32}
NUMBERS = {"INT", "UINT", "UDINT"}
LITERAL = "any integer"
"""The type of a whole number that is written down; it becomes that of what it meets."""

Run = Callable[[], Any]
Do = Callable[[], None]


class IllFormedError(Exception):
    """The text is none, or mixes types."""


@dataclass(frozen=True)
class Type:
    """A name, for an array its bounds and element, for a structure its fields."""

    name: str
    low: int = 0
    high: int = -1
    element: Type | None = None
    fields: tuple[tuple[str, Type], ...] = ()

    def fresh(self) -> Any:
        """Its first value."""
        if self.element:
            return [self.element.fresh() for _ in range(self.low, self.high + 1)]
        if self.fields:
            return {name: kind.fresh() for name, kind in self.fields}
        if self.name == "TON":
            return {"IN": False, "PT": 0, "Q": False, "since": None}
        return False if self.name == "BOOL" else 0


BOOL, TIME, WORD, NUMBER = Type("BOOL"), Type("TIME"), Type("WORD"), Type(LITERAL)
TON = Type("TON")
KNOWN = {name: Type(name) for name in ("BOOL", "TIME", "WORD", "INT", "UINT", "UDINT", "TON")}


def parsed(text: str) -> Node:
    """The syntax tree.

    Raises:
        IllFormedError: The grammar does not know what stands there; says where.
    """
    import tree_sitter  # noqa: PLC0415  # of make test-plant alone
    import tree_sitter_iec61131_3_st  # noqa: PLC0415

    language = tree_sitter.Language(tree_sitter_iec61131_3_st.language())
    root = tree_sitter.Parser(language).parse(text.encode()).root_node
    if root.has_error:
        raise IllFormedError(f"line {_first_error(root).start_point[0] + 1}: {_text(_first_error(root))[:60]!r}")
    return root


class FunctionBlock:
    """An instance of the first function block in a text.

    Args:
        text: The text.
        now_ms: The PLC's clock.

    Attributes:
        memory: Values by name.
        kept: Names of the variables that survive a restart of the program.
        calls: How often it was called.
    """

    def __init__(self, text: str, now_ms: Callable[[], int]) -> None:
        root = parsed(text)
        self._now_ms = now_ms
        self._types: dict[str, Type] = {}
        self._first: dict[str, Any] = {}
        self._constants: set[str] = set()
        self._structures = dict(KNOWN)
        self.kept: set[str] = set()
        self.calls = 0
        self.memory: dict[str, Any] = {}
        for node in root.named_children:
            if node.type == "type_declaration":
                self._declare_type(node)
        (block,) = [node for node in root.named_children if node.type == "function_block_declaration"]
        for node in block.named_children:
            if node.type.startswith("var"):
                self._declare(node)
        self.memory = {name: self._fresh(name) for name in self._types}
        self._body = self._block(list(block.children_by_field_name("body")))

    def call(self, **inputs: Any) -> None:
        """One call, with these inputs; in-out arrays are shared."""
        for name, value in inputs.items():
            assert name in self._types, name
            self.memory[name] = value
        self.calls += 1
        self._body()

    def restart(self) -> None:
        """As when the PLC's program begins anew: all but what is retained has its first value."""
        for name in self._types:
            if name not in self.kept:
                self.memory[name] = self._fresh(name)

    def _fresh(self, name: str) -> Any:
        return self._first[name] if name in self._first else self._types[name].fresh()

    # ---- declarations

    def _declare_type(self, node: Node) -> None:
        for definition in node.named_children:
            if definition.type != "type_definition":
                continue
            rows = [
                field for field in _field(definition, "definition").named_children if field.type == "structure_field"
            ]
            fields = tuple((_text(_field(row, "name")), self._type(_field(row, "type"))) for row in rows)
            self._structures[_text(_field(definition, "name"))] = Type("STRUCT", fields=fields)

    def _declare(self, node: Node) -> None:
        qualifiers = {
            _text(one)
            for child in node.named_children
            if child.type == "var_qualifier_list"
            for one in child.named_children
        }
        for row in node.named_children:
            if row.type != "variable_declaration":
                continue
            name, kind = _text(_field(row, "names")), self._type(_field(row, "type"))
            if name in self._types:
                raise IllFormedError(f"{name} is declared twice")
            self._types[name] = kind
            if initial := row.child_by_field_name("initial_value"):
                first_type, first = self._expression(initial)
                self._first[name] = self._fitted(kind, first_type, first, name)()
            if "CONSTANT" in qualifiers:
                self._constants.add(name)
            if "RETAIN" in qualifiers:
                self.kept.add(name)

    def _type(self, node: Node) -> Type:
        if node.type == "array_type":
            bounds = _field(node, "range")
            low, high = int(_text(_field(bounds, "lower"))), int(_text(_field(bounds, "upper")))
            return Type("ARRAY", low, high, self._type(_field(node, "element_type")))
        if _text(node) not in self._structures:
            raise IllFormedError(f"line {_line(node)}: unknown type {_text(node)}")
        return self._structures[_text(node)]

    # ---- statements

    def _block(self, nodes: list[Node]) -> Do:
        steps = [step for node in nodes if (step := self._statement(node))]

        def run() -> None:
            for step in steps:
                step()

        return run

    def _statement(self, node: Node) -> Do | None:
        match node.type:
            case "comment" | "empty_statement":
                return None
            case "assignment_statement":
                return self._assignment(node)
            case "if_statement":
                return self._if(node)
            case "for_statement":
                return self._for(node)
            case "invocation_statement":
                return self._invocation(node.named_children[0])
            case _:
                raise IllFormedError(f"line {_line(node)}: {node.type} is not known here")

    def _assignment(self, node: Node) -> Do:
        left, right = _field(node, "left"), _field(node, "right")
        kind, put = self._target(left)
        found, value = self._expression(right)
        fitted = self._fitted(kind, found, value, f"line {_line(node)}: {_text(left)}")
        return lambda: put(fitted())

    def _target(self, node: Node) -> tuple[Type, Callable[[Any], None]]:
        if node.type == "identifier":
            name = _text(node)
            if name in self._constants or name not in self._types:
                raise IllFormedError(f"line {_line(node)}: {name} cannot be assigned")
            return self._types[name], lambda value: self.memory.__setitem__(name, value)
        if node.type == "index_expression":
            kind, holder, index = self._indexed(node)
            assert kind.element
            return kind.element, lambda value: holder().__setitem__(index(), value)
        kind, holder, member = self._member(node)
        return dict(kind.fields)[member], lambda value: holder().__setitem__(member, value)

    def _if(self, node: Node) -> Do:
        branches = [(_field(node, "condition"), node.children_by_field_name("consequence"))]
        otherwise: list[Node] = []
        for child in node.named_children:
            if child.type == "elsif_clause":
                branches.append((_field(child, "condition"), child.children_by_field_name("body")))
            elif child.type == "else_clause":
                otherwise = child.children_by_field_name("body")
        ways = [(self._truth(condition), self._block(list(body))) for condition, body in branches]
        last = self._block(list(otherwise))

        def run() -> None:
            for condition, body in ways:
                if condition():
                    body()
                    return
            last()

        return run

    def _for(self, node: Node) -> Do:
        name = _text(_field(node, "control"))
        kind = self._types[name]
        start = self._fitted(kind, *self._expression(_field(node, "start")), name)
        end = self._fitted(kind, *self._expression(_field(node, "end")), name)
        body = self._block(list(node.children_by_field_name("body")))

        def run() -> None:
            for value in range(start(), end() + 1):
                self.memory[name] = value
                body()

        return run

    def _invocation(self, node: Node) -> Do:
        name = _text(_field(node, "function"))
        if self._types.get(name) != TON:
            raise IllFormedError(f"line {_line(node)}: {name} is no timer")
        given = {}
        for argument in _field(node, "arguments").named_children:
            key = _text(_field(argument, "name"))
            found, value = self._expression(_field(argument, "value"))
            given[key] = self._fitted({"IN": BOOL, "PT": TIME}[key], found, value, f"line {_line(node)}: {key}")
        return lambda: self._time(self.memory[name], given["IN"](), given["PT"]())

    def _time(self, timer: dict[str, Any], begun: object, preset_ms: int) -> None:
        """An on-delay."""
        if not begun:
            timer.update(Q=False, since=None)
            return
        if timer["since"] is None:
            timer["since"] = self._now_ms()
        timer["Q"] = self._now_ms() - timer["since"] >= preset_ms

    # ---- expressions

    def _truth(self, node: Node) -> Run:
        kind, value = self._expression(node)
        if kind != BOOL:
            raise IllFormedError(f"line {_line(node)}: {_text(node)} is {kind.name}, no BOOL")
        return value

    def _expression(self, node: Node) -> tuple[Type, Run]:
        known: dict[str, Callable[[Node], tuple[Type, Run]]] = {
            "parenthesized_expression": lambda inner: self._expression(inner.named_children[0]),
            "integer_literal": lambda literal: _always(NUMBER, _integer(_text(literal))),
            "boolean_literal": lambda literal: _always(BOOL, _text(literal) == "TRUE"),
            "time_literal": lambda literal: _always(TIME, _milliseconds(_text(literal))),
            "identifier": self._variable,
            "index_expression": self._element,
            "member_access_expression": self._part,
            "unary_expression": self._unary,
            "binary_expression": self._binary,
            "call_expression": self._conversion,
        }
        if node.type not in known:
            raise IllFormedError(f"line {_line(node)}: {node.type} is not known here")
        return known[node.type](node)

    def _element(self, node: Node) -> tuple[Type, Run]:
        kind, holder, index = self._indexed(node)
        assert kind.element
        return kind.element, lambda: holder()[index()]

    def _part(self, node: Node) -> tuple[Type, Run]:
        kind, holder, member = self._member(node)
        return dict(kind.fields)[member] if kind.fields else BOOL, lambda: holder()[member]

    def _unary(self, node: Node) -> tuple[Type, Run]:
        truth_of = self._truth(_field(node, "operand"))
        if _operator(node) != "NOT":
            raise IllFormedError(f"line {_line(node)}: {_operator(node)} is not known here")
        return BOOL, lambda: not truth_of()

    def _variable(self, node: Node) -> tuple[Type, Run]:
        name = _text(node)
        if name not in self._types:
            raise IllFormedError(f"line {_line(node)}: {name} is not declared")
        return self._types[name], lambda: self.memory[name]

    def _indexed(self, node: Node) -> tuple[Type, Run, Callable[[], int]]:
        kind, holder = self._expression(_field(node, "object"))
        index_type, index = self._expression(_field(node, "index"))
        if kind.element is None or index_type.name not in {"INT", LITERAL}:
            raise IllFormedError(f"line {_line(node)}: {_text(node)} is no element")

        def place() -> int:
            number = index()
            if not kind.low <= number <= kind.high:
                raise IndexError(
                    f"line {_line(node)}: {_text(node)} with {number}, there are {kind.low} to {kind.high}"
                )
            return int(number) - kind.low

        return kind, holder, place

    def _member(self, node: Node) -> tuple[Type, Run, str]:
        kind, holder = self._expression(_field(node, "object"))
        member = _text(_field(node, "member"))
        if member not in dict(kind.fields) and not (kind == TON and member == "Q"):
            raise IllFormedError(f"line {_line(node)}: {_text(node)} is not there")
        return kind, holder, member

    def _binary(self, node: Node) -> tuple[Type, Run]:
        operator = _operator(node)
        left_type, left = self._expression(_field(node, "left"))
        right_type, right = self._expression(_field(node, "right"))
        kind = right_type if left_type == NUMBER else left_type
        if NUMBER not in (left_type, right_type) and left_type != right_type:
            raise IllFormedError(f"line {_line(node)}: {left_type.name} {operator} {right_type.name} in {_text(node)}")
        if operator in ("AND", "OR"):
            self._demand(node, kind == BOOL)
            return BOOL, (lambda: left() and right()) if operator == "AND" else (lambda: left() or right())
        if operator in ("=", "<>"):
            self._demand(node, not kind.element and not kind.fields)
            return BOOL, (lambda: left() == right()) if operator == "=" else (lambda: left() != right())
        self._demand(node, kind.name in NUMBERS)
        if operator == "<":
            return BOOL, lambda: left() < right()
        sums: Mapping[str, Callable[[int, int], int]] = {
            "+": lambda one, other: one + other,
            "-": lambda one, other: one - other,
            "*": lambda one, other: one * other,
        }
        self._demand(node, operator in sums)
        bits = BITS.get(kind.name)
        reckon = sums[operator]
        if bits is None:
            return kind, lambda: reckon(left(), right())
        return kind, lambda: reckon(left(), right()) & ((1 << bits) - 1)

    @staticmethod
    def _demand(node: Node, holds: bool) -> None:  # noqa: FBT001
        if not holds:
            raise IllFormedError(f"line {_line(node)}: {_text(node)} has types that do not go together")

    def _conversion(self, node: Node) -> tuple[Type, Run]:
        source, _, target = _text(_field(node, "function")).partition("_TO_")
        if (source, target) not in {("WORD", "UINT"), ("UINT", "WORD"), ("UINT", "UDINT")}:
            raise IllFormedError(f"line {_line(node)}: {_text(node)} is no conversion that is known here")
        (argument,) = _field(node, "arguments").named_children
        found, value = self._expression(argument)
        return Type(target), self._fitted(Type(source), found, value, f"line {_line(node)}: {_text(argument)}")

    @staticmethod
    def _fitted(wanted: Type, found: Type, value: Run, where: str) -> Run:
        """The value as one of the wanted type; a whole number that is written down must fit it."""
        if found == wanted:
            return value
        if found == NUMBER and (wanted.name in NUMBERS or wanted == WORD):
            bits = BITS.get(wanted.name, 15)
            if not 0 <= value() < 1 << bits:
                raise IllFormedError(f"{where}: {value()} does not fit {wanted.name}")
            return value
        raise IllFormedError(f"{where}: {wanted.name} is given {found.name}")


def _always(kind: Type, value: Any) -> tuple[Type, Run]:
    return kind, lambda: value


def _field(node: Node, name: str) -> Node:
    child = node.child_by_field_name(name)
    if child is None:
        raise IllFormedError(f"line {_line(node)}: {node.type} has no {name}")
    return child


def _text(node: Node) -> str:
    assert node.text is not None
    return node.text.decode()


def _line(node: Node) -> int:
    return node.start_point[0] + 1


def _operator(node: Node) -> str:
    return next(_text(child) for child in node.children if not child.is_named)


def _first_error(node: Node) -> Node:
    for child in node.children:
        if child.type == "ERROR" or child.is_missing:
            return child
        if child.has_error:
            return _first_error(child)
    return node


def _integer(text: str) -> int:
    return int(text[3:], 16) if text.startswith("16#") else int(text)


def _milliseconds(text: str) -> int:
    amount = text.removeprefix("T#")
    return int(amount.removesuffix("ms")) if amount.endswith("ms") else 1000 * int(amount.removesuffix("s"))
