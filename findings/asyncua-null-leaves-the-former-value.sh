#!/usr/bin/env bash
# Found: a server of asyncua that is told to write a null into a variable keeps the former value, with status Good, and
#   says so in its log alone: `Server.write_attribute_value` compares the variant's type with that of the value before, refuses the
#   untyped null with BadTypeMismatch, and drops that status code. A null of the variable's own type is taken; a number,
#   flag or date has none (`Variant(None, VariantType.Int32)` cannot be made).
# Version: asyncua 2.1.0.
# Why it matters here: clients went on seeing who had the hand after it was given back. Values are now written through
#   the address space, whose status code is looked at; a null text has its type, any other null goes with BadNoData.
# Guess before it was run: the variable becomes null.
# Source: run; asyncua/server/address_space.py, write_attribute_value.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check asyncua==2.1.0
"$work/venv/bin/python" - <<'PY'
import asyncio
import sys

from asyncua import Server, ua


async def main() -> None:
    server = Server()
    await server.init()
    text = ua.Variant("former", ua.VariantType.String)
    variable = await server.nodes.objects.add_variable(ua.NodeId("x", 1), ua.QualifiedName("x", 1), text)
    await server.write_attribute_value(variable.nodeid, ua.DataValue(ua.Variant(None, ua.VariantType.Null)))
    untyped = await variable.read_value()
    await server.write_attribute_value(variable.nodeid, ua.DataValue(ua.Variant(None, ua.VariantType.String)))
    typed = await variable.read_value()
    print("after an untyped null:", untyped, "- after a null of its own type:", typed)
    found = (untyped, typed) == ("former", None)
    print("as found" if found else "changed: another value than the former one")
    sys.exit(0 if found else 1)


asyncio.run(main())
PY
