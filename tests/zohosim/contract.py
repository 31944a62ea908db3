"""How an answer differs from a schema, in short lines that a list of known deviations can match."""

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry


def broken(registry: Registry[Any], place: str, value: Any) -> Iterator[str]:
    """`place rule` of everything in which the value differs from the schema at this address."""
    for error in Draft202012Validator({"$ref": place}, registry=registry).iter_errors(value):
        yield from told(error)


def told(error: ValidationError) -> set[str]:
    """`place rule` of one error; of alternatives only the nearest one speaks."""
    if error.validator != "anyOf":
        steps = [str(step) for step in error.absolute_path if not isinstance(step, int)]
        extra = f"({error.message.split(chr(39))[1]})" if error.validator == "required" else ""
        return {f"{'.'.join(steps) or 'body'} {error.validator}{extra}"}
    branches: dict[Any, set[str]] = {}
    for cause in error.context or []:
        branches.setdefault(cause.schema_path[0], set()).update(told(cause))
    return min(branches.values(), key=far) if branches else set()


def far(found: set[str]) -> tuple[int, list[str]]:
    """How far an alternative is from the value: a missing key says it was not meant at all."""
    return sum(10 if " required(" in line else 1 for line in found), sorted(found)


def pointer(*steps: str) -> str:
    return "/" + "/".join(step.replace("~", "~0").replace("/", "~1") for step in steps)
