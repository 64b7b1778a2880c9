#!/usr/bin/env bash
# Found: a ValidationError that a function keeps in a local variable is never freed, by no garbage collection either, when
#   a validator of the model's own raised it; and with it stays whatever the callers' variables held at that moment. The
#   error holds the validator's exception, that its traceback, that the frames, and one of these the error: a circle, whose
#   link through the compiled core the collector does not see. Any exception of Python in its place is collected.
# Version: pydantic 2.14.3 with the pydantic-core that belongs to it, from PyPI.
# Why it matters here: what refuses a setting lies frames below what holds scans, a data set's mapped images or an open
#   file; `raise OwnError from error` is enough where a caller keeps that. Our leak check found images that stayed mapped
#   after a refused training plan. In a process that runs for years each refused message would cost memory for good.
# Guess before it was run: a circle of an exception and its frame is an everyday thing, which `gc.collect()` frees.
# Source: an author's own reproduction in the issue https://github.com/dapper91/pydantic-xml/issues/222, of 2024.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pydantic==2.14.3
cat >"$work/kept.py" <<'PYTHON'
import gc
import weakref

from pydantic import BaseModel, model_validator


class Exposure(BaseModel):
    microseconds: float

    @model_validator(mode="after")
    def positive(self) -> "Exposure":
        if self.microseconds <= 0:
            raise ValueError("an exposure takes time")
        return self


class Scan:
    """Stands for something large."""


def by_hand(microseconds):
    if microseconds <= 0:
        raise ValueError("an exposure takes time")


def by_pydantic(microseconds):
    Exposure(microseconds=microseconds)


def stays(check, keep):
    scan = Scan()
    seen = weakref.ref(scan)
    kept = None
    try:
        check(0.0)
    except ValueError as error:
        kept = error if keep else None
    return seen


for check in (by_hand, by_pydantic):
    for keep in (False, True):
        seen = stays(check, keep)
        gc.collect()
        print(check.__name__, "kept" if keep else "dropped", "stays" if seen() is not None else "freed")
PYTHON
told=$("$work/venv/bin/python" "$work/kept.py")
echo "$told"
wanted=$'by_hand dropped freed\nby_hand kept freed\nby_pydantic dropped freed\nby_pydantic kept stays'
test "$told" = "$wanted" || { echo "changed: it was
$wanted"; exit 1; }
echo "as found: what the caller held stays for good, with pydantic's error alone"
