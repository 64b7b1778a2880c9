"""The document of the API, made from the table of its ways. Source: OpenAPI specification 3.1.0."""

import re
from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import models_json_schema

from models.version import code_version
from station.core.section import Section
from station.page.api.way import ROOT, Way

KIND = "application/json"
REFUSED = {"type": "object", "properties": {"refused": {"type": "string"}}, "required": ["refused"]}
REFUSALS = {
    "401": "Nobody is signed in, or the token is not good.",
    "403": "The role does not permit it, or it came from elsewhere.",
    "404": "The records have no such thing.",
    "422": "What was asked or sent is not understood; the answer says where.",
    "503": "The page cannot answer now.",
}
NAMED = re.compile(r"\{(\w+)\}")
Json = dict[str, Any]


def document(station: str, ways: Iterable[Way]) -> Json:
    """The document.

    Args:
        station: Its name.
        ways: Every way into the API.
    """
    ways = tuple(ways)
    paths: dict[str, Json] = {}
    for way in ways:
        paths.setdefault(f"{ROOT}{way.path}", {})[way.method.lower()] = _operation(way)
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Inspection station {station}", "version": code_version()},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {**_schemas(ways), "Refused": REFUSED},
        },
    }


def _operation(way: Way) -> Json:
    told: Json = {"summary": way.tells, "description": _roles(way), "parameters": [*_in_path(way), *_in_query(way)]}
    if way.body:
        told["requestBody"] = {"required": True, "content": {KIND: {"schema": _shape(way.body)}}}
    refused = {KIND: {"schema": {"$ref": "#/components/schemas/Refused"}}}
    refusals = {status: {"description": why, "content": refused} for status, why in REFUSALS.items()}
    return {**told, "responses": {"200": {"description": "So it is.", "content": _content(way)}, **refusals}}


def _content(way: Way) -> Json:
    if isinstance(way.gives, str):
        return {way.gives: {}}
    return {KIND: {"schema": _shape(way.gives)}}


def _roles(way: Way) -> str:
    return f"For {', '.join(sorted(role.value for role in way.roles))}."


def _in_path(way: Way) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in NAMED.findall(way.path)
    ]


def _in_query(way: Way) -> list[Json]:
    if way.asked is None:
        return []
    schema = way.asked.model_json_schema()
    needed = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": kind}
        for name, kind in schema["properties"].items()
    ]


def _shape(shape: type[Section]) -> Json:
    return {"$ref": f"#/components/schemas/{shape.__name__}"}


def _schemas(ways: Iterable[Way]) -> Json:
    shapes = {shape for way in ways for shape in (way.gives, way.body) if isinstance(shape, type)}
    ordered = sorted(shapes, key=lambda shape: shape.__name__)
    _references, made = models_json_schema(
        [(shape, "validation") for shape in ordered], ref_template="#/components/schemas/{model}"
    )
    schemas: Json = made["$defs"]
    return schemas
