"""Reading of JSON files that may have been edited, truncated or replaced: within size limits, and checked field by
field against a dataclass."""

import json
import math
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, get_args, get_origin, get_type_hints

from resnet_demo.errors import InputError, quoted

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
# A card of 1,000 epochs takes 200 kB.
MAX_BYTES = 5_000_000
# Far above every number in these files, and small enough to compute with.
LARGEST = 1e12


@contextmanager
def told_as(path: Path, what: str) -> Iterator[None]:
    """Convert any error while `path` is read to an `InputError` which says that it is not `what`."""
    try:
        yield
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{path.name} is not {what} ({reason.rstrip('.')}).") from error


def read_json(path: Path) -> Any:
    """Raises `OSError` or `ValueError`."""
    # Opening a folder raises by itself. Reading a FIFO would block, and a device never ends.
    if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
        raise ValueError("it is not a regular file")
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES // 10**6} MB")
    return json.loads(data.decode("utf-8"), parse_constant=_refuse)


def to_record(kind: type[T], values: Any) -> T:
    """The dataclass `kind` from a JSON object; unknown fields are ignored. Raises `ValueError` that names the first
    field which is missing, has the wrong type, or holds a number that is not finite or too large."""
    if not isinstance(values, dict):
        raise ValueError(f"{quoted(values)} is not a JSON object")
    types, found = get_type_hints(kind), {}
    for field in fields(kind):
        if field.name in values:
            found[field.name] = _converted(values[field.name], types[field.name], field.name)
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"it has no {field.name}")
    return kind(**found)


def finite(value: Any) -> Any:
    """Replace NaN and infinity, which JSON does not have, by None."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _converted(value: Any, kind: Any, name: str) -> Any:
    of, inner = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        return to_record(kind, value)
    if of is list and isinstance(value, list):
        return [_converted(item, inner[0], name) for item in value]
    if of is dict and isinstance(value, dict):
        return {key: _converted(item, inner[1], name) for key, item in value.items()}
    # `type`, as `isinstance` accepts True as an int.
    number = type(value) is int or (type(value) is float and kind is float)
    if kind in (int, float) and number and -LARGEST < value < LARGEST:
        return value
    if of is UnionType and NoneType in inner:
        return None if value is None else _converted(value, inner[0], name)
    if kind is Any or (kind in (str, bool) and type(value) is kind):
        return value
    raise ValueError(f"{name} is {quoted(value)}")


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
