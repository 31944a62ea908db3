"""The one way JSON is written: for the wire, for fingerprints and for people who want to see what would be sent."""

from decimal import Decimal
from typing import Any

import orjson


def canonical_json(value: Any) -> bytes:
    """Sorted keys, no spaces, UTF-8. A Decimal is a number with all its digits; TypeError for what is not JSON."""
    return orjson.dumps(value, default=_exact, option=orjson.OPT_SORT_KEYS)


def _exact(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(format(value, "f"))
    raise TypeError(f"{value!r} has no place in JSON")
