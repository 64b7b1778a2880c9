"""What browsers send: forms and JSON, no larger than they can be meant."""

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request

from station.core.errors import PageError

MOST_BYTES = 64 * 1024
MOST_FIELDS = 32
SENT_S = 10.0
"""So long it may take until all of it is there."""


async def form(request: Request) -> dict[str, str]:
    """The fields of a form, each once.

    Raises:
        PageError: `page.refused`: too large, or no form.
    """
    text = await _text(request, "application/x-www-form-urlencoded")
    try:
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise PageError("page.refused", "this is no form of the page") from error
    return {name: values[0] for name, values in fields.items()}


async def json_object(request: Request) -> dict[str, Any]:
    """The object that a script of the page sends.

    Raises:
        PageError: `page.refused`: too large, or no object.
    """
    try:
        sent = json.loads(await _text(request, "application/json"))
    except (ValueError, RecursionError) as error:
        raise PageError("page.refused", "this is no JSON") from error
    if not isinstance(sent, dict):
        raise PageError("page.refused", "this is no object")
    return sent


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise PageError("page.refused", f"this is more than {MOST_BYTES} bytes")
    return body


async def _text(request: Request, kind: str) -> str:
    if request.headers.get("content-type", "").partition(";")[0] != kind:
        raise PageError("page.refused", f"this is not {kind}")
    try:
        async with asyncio.timeout(SENT_S):
            return (await _body(request)).decode()
    except TimeoutError as error:
        raise PageError("page.refused", f"this was not all there within {SENT_S:g} s") from error
    except UnicodeDecodeError as error:
        raise PageError("page.refused", "this is no text") from error
