"""A way into the API: a way into the page that also says what it is asked and what it gives, for the document of it."""

from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from station.core.errors import PageError
from station.core.section import Section
from station.page.guard import Answer, Entry
from station.page.roles import Roles

ROOT = "/api/1"

Shape = TypeVar("Shape", bound=Section)


@dataclass(frozen=True, slots=True)
class Way:
    """One way into the API.

    Attributes:
        path: Below the root, as Starlette's routes write it.
        method: GET or POST.
        roles: Who may.
        answer: What gives the answer.
        tells: What it is for, in a sentence.
        gives: The shape of the answer, or the kind of it where that is no JSON.
        asked: What may stand behind the question mark, or None where nothing may.
        body: What is sent, or None.
    """

    path: str
    method: str
    roles: Roles
    answer: Answer
    tells: str
    gives: type[Section] | str
    asked: type[Section] | None = None
    body: type[Section] | None = None

    @property
    def entry(self) -> Entry:
        """The way as the page has it."""
        return Entry(f"{ROOT}{self.path}", self.method, self.roles, self.answer, touches=False, programs=True)


def asked(shape: type[Shape], request: Request) -> Shape:
    """What stands behind the question mark.

    Raises:
        PageError: `page.refused`: it is not so, or something is asked that nobody knows.
    """
    sent: dict[str, Any] = dict(request.query_params)
    if "verdict" in shape.model_fields and "verdict" in sent:
        sent["verdict"] = request.query_params.getlist("verdict")
    return shaped(shape, sent)


def shaped(shape: type[Shape], sent: dict[str, Any]) -> Shape:
    """What was sent, in its shape.

    Raises:
        PageError: `page.refused`: it is not so; the detail says where.
    """
    try:
        return shape.model_validate(sent)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise PageError("page.refused", f"{where}: {first['msg']}" if where else first["msg"]) from error


def given(shape: Section) -> Response:
    """An answer."""
    return Response(shape.model_dump_json(), media_type="application/json")
