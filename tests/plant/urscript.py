"""URScript that runs: a small interpreter of the part of the language that the exported program uses.

Statements stand one a line, blocks end with `end`; expressions are those of Python but for `p[...]`. Threads are tasks;
whatever takes time on a robot is a coroutine here. What it does not know it refuses.
"""

import ast
import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Native = Callable[..., Awaitable[Any]]
STEP_S = 0.008
"""What `sync` waits for. Source: Universal Robots, script manual: one controller cycle of 125 Hz (CB series)."""


class ScriptError(Exception):
    """The text is no program that is known here, or does what it must not."""


@dataclass
class Block:
    """A statement with what stands in it."""

    line: int
    head: str
    body: "list[Block]" = field(default_factory=list)
    others: "list[Block]" = field(default_factory=list)


class _Returned(Exception):  # noqa: N818
    def __init__(self, value: Any) -> None:
        self.value = value


class Program:
    """A program and its memory.

    Args:
        text: The program: one `def` that holds all.
        natives: What the controller has, by name.
        instead: Functions of the program that are not its own here, by name.
    """

    def __init__(self, text: str, natives: Mapping[str, Native], instead: Mapping[str, Native] | None = None) -> None:
        (main,) = _blocks(text)
        self._main = main.body
        self._natives = dict(natives)
        self._instead = dict(instead or {})
        self._functions: dict[str, Block] = {}
        self._critical = asyncio.Lock()
        self._threads: list[asyncio.Task[None]] = []
        self.memory: dict[str, Any] = {}

    async def run(self, **memory: Any) -> None:
        """Execute it; these variables have another value than the program gives them at first."""
        self._given = memory
        try:
            await self._block(self._main, None)
        finally:
            for thread in self._threads:
                thread.cancel()
            await asyncio.gather(*self._threads, return_exceptions=True)

    async def _block(self, blocks: list[Block], own: dict[str, Any] | None) -> None:
        for block in blocks:
            await self._statement(block, own)

    async def _statement(self, block: Block, own: dict[str, Any] | None) -> None:
        word, _, rest = block.head.partition(" ")
        if word in ("def", "thread"):
            name = rest.partition("(")[0]
            self._functions[name] = block
        elif word == "if":
            await self._if(block, own)
        elif word == "while":
            while await self._value(rest.rstrip(":"), own):
                await asyncio.sleep(0)
                await self._block(block.body, own)
        elif word == "return":
            raise _Returned(await self._value(rest, own))
        elif block.head == "enter_critical":
            await self._critical.acquire()
        elif block.head == "exit_critical":
            self._critical.release()
        elif match := re.fullmatch(r"(local |global )?(\w+) = (.+)", block.head):
            await self._assign(match[1] == "local ", match[2], match[3], own)
        else:
            await self._value(block.head, own)

    async def _assign(self, local: bool, name: str, text: str, own: dict[str, Any] | None) -> None:  # noqa: FBT001
        if text.startswith("run "):
            self._threads.append(asyncio.create_task(self._thread(text[4:].partition("(")[0])))
            return
        value = await self._value(text, own)
        if own is not None and (local or name in own):
            own[name] = value
        else:
            self.memory[name] = self._given.get(name, value)
            self._given.pop(name, None)

    async def _thread(self, name: str) -> None:
        await self._block(self._functions[name].body, {})

    async def _if(self, block: Block, own: dict[str, Any] | None) -> None:
        for branch in (block, *block.others):
            if branch.head == "else:" or await self._value(branch.head.partition(" ")[2].rstrip(":"), own):
                await self._block(branch.body, own)
                return

    # ---- expressions

    async def _value(self, text: str, own: dict[str, Any] | None) -> Any:
        tree = ast.parse(re.sub(r"\bp\[", "[", text), mode="eval").body
        return await self._node(tree, own)

    async def _node(self, node: ast.expr, own: dict[str, Any] | None) -> Any:
        known: dict[type[ast.expr], Callable[[Any, dict[str, Any] | None], Awaitable[Any]]] = {
            ast.Constant: self._constant,
            ast.Name: self._variable,
            ast.List: self._list,
            ast.Subscript: self._element,
            ast.BoolOp: self._logic,
            ast.UnaryOp: self._unary,
            ast.BinOp: self._sum,
            ast.Compare: self._comparison,
            ast.Call: self._call_of,
        }
        if type(node) not in known:
            raise ScriptError(f"{ast.unparse(node)} is not known here")
        return await known[type(node)](node, own)

    async def _constant(self, node: ast.Constant, _own: dict[str, Any] | None) -> Any:
        return node.value

    async def _variable(self, node: ast.Name, own: dict[str, Any] | None) -> Any:
        for memory in (own or {}, self.memory):
            if node.id in memory:
                return memory[node.id]
        raise ScriptError(f"{node.id} has no value")

    async def _list(self, node: ast.List, own: dict[str, Any] | None) -> list[Any]:
        return [await self._node(item, own) for item in node.elts]

    async def _element(self, node: ast.Subscript, own: dict[str, Any] | None) -> Any:
        return (await self._node(node.value, own))[await self._node(node.slice, own)]

    async def _unary(self, node: ast.UnaryOp, own: dict[str, Any] | None) -> Any:
        value = await self._node(node.operand, own)
        return not value if isinstance(node.op, ast.Not) else -value

    async def _sum(self, node: ast.BinOp, own: dict[str, Any] | None) -> Any:
        return _reckon(node.op, await self._node(node.left, own), await self._node(node.right, own))

    async def _comparison(self, node: ast.Compare, own: dict[str, Any] | None) -> bool:
        (operator,), (right,) = node.ops, node.comparators
        return _compare(operator, await self._node(node.left, own), await self._node(right, own))

    async def _call_of(self, node: ast.Call, own: dict[str, Any] | None) -> Any:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise ScriptError(f"{ast.unparse(node)} is not known here")
        return await self.call(node.func.id, *[await self._node(one, own) for one in node.args])

    async def _logic(self, node: ast.BoolOp, own: dict[str, Any] | None) -> bool:
        wanted = isinstance(node.op, ast.Or)
        for value in node.values:
            if bool(await self._node(value, own)) is wanted:
                return wanted
        return not wanted

    async def call(self, name: str, *arguments: Any) -> Any:
        """What a function of the program, or of the controller, gives."""
        if name in self._instead:
            return await self._instead[name](*arguments)
        if name in self._natives:
            return await self._natives[name](*arguments)
        if name not in self._functions:
            raise ScriptError(f"there is no function {name}")
        block = self._functions[name]
        names = [one.strip() for one in block.head.partition("(")[2].rpartition(")")[0].split(",") if one.strip()]
        if len(names) != len(arguments):
            raise ScriptError(f"{name} takes {len(names)} arguments")
        try:
            await self._block(block.body, dict(zip(names, arguments, strict=True)))
        except _Returned as returned:
            return returned.value
        return None


def _reckon(operator: ast.operator, left: Any, right: Any) -> Any:
    match operator:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
    raise ScriptError(f"{operator} is not known here")


def _compare(operator: ast.cmpop, left: Any, right: Any) -> bool:
    match operator:
        case ast.Eq():
            return bool(left == right)
        case ast.NotEq():
            return bool(left != right)
        case ast.Lt():
            return bool(left < right)
        case ast.LtE():
            return bool(left <= right)
        case ast.Gt():
            return bool(left > right)
    raise ScriptError(f"{operator} is not known here")


def _blocks(text: str) -> list[Block]:
    """The statements, each with its body; every block must be ended."""
    top = Block(0, "")
    stack: list[tuple[Block, list[Block]]] = [(top, top.body)]
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.partition("#")[0].strip()
        if not line:
            continue
        if line == "end":
            if len(stack) == 1:
                raise ScriptError(f"line {number}: an end without a beginning")
            stack.pop()
        elif line == "else:" or line.startswith("elif "):
            owner, _ = stack.pop()
            branch = Block(number, line)
            owner.others.append(branch)
            stack.append((owner, branch.body))
        else:
            block = Block(number, line)
            stack[-1][1].append(block)
            if line.endswith(":"):
                stack.append((block, block.body))
    if len(stack) != 1:
        raise ScriptError(f"line {stack[-1][0].line}: {stack[-1][0].head} is not ended")
    return top.body
