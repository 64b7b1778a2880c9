"""Copies of a recipe in the configuration file: a new table at its end, and everything else as it stands."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from station.core.durable import write_whole
from station.core.errors import ConfigError
from station.core.settings import parse_settings


def copy_recipe(path: Path, name: str, new: str, code: int) -> str:
    """Add a part type to a configuration file that has all of another one's keys but its name and its code.

    The file is written whole or not at all, and only when it can be used with the new table.

    Args:
        path: The configuration file.
        name: Whose keys are copied.
        new: Name of the new part type.
        code: Its number on the PLC.

    Returns:
        The table that was added.

    Raises:
        ConfigError: The file cannot be read or written, it has no such part type, or has the new one already, or the
            result would be refused.
    """
    text, document = _read(path)
    types = document.get("part_types", {})
    if name not in types:
        known = ", ".join(types) or "none"
        raise ConfigError("config.bad_option", f"{path} has no part type {name}; there are {known}")
    if new in types:
        raise ConfigError("config.bad_option", f"{path} has a part type {new} already")
    table = _table(f"part_types.{_key(new)}", types[name] | {"code": code})
    whole = f"{text.rstrip()}\n\n{table}"
    parse_settings(_parsed(whole, path), f"{path} with {new}")
    try:
        write_whole(path, whole.encode())
    except OSError as error:
        raise ConfigError("config.file_failed", f"{path}: {error.strerror}") from error
    return table


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError("config.unreadable", f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError("config.unreadable", f"{path}: {error}") from error
    return text, _parsed(text, path)


def _parsed(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("config.unreadable", f"{path}: {error}") from error


def _table(header: str, keys: Mapping[str, Any]) -> str:
    return "\n".join([f"[{header}]", *(f"{_key(key)} = {_value(value)}" for key, value in keys.items())]) + "\n"


def _value(value: Any) -> str:
    """A value as TOML writes it: JSON's texts, numbers and truths are TOML's, too."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _key(key: str) -> str:
    plain = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if plain else json.dumps(key, ensure_ascii=False)
