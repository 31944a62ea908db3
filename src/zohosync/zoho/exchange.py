"""One attempt at a call as it may be shown to people: secrets are left out."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from zohosync.zoho.protocol import Request

SECRET_WORDS = ("token", "secret", "password", "authorization", "api_key")
LONGEST_TEXT = 2_000
HIDDEN = "•••"


@dataclass(frozen=True)
class Exchange:
    """``status`` is None when no answer came; ``error`` is the name of our error, empty on success."""

    request: Request
    status: int | None
    body: bytes
    took: timedelta
    error: str = ""

    def shown_request(self) -> dict[str, Any]:
        """JSON-ready, redacted; with the headers that are this call's own, where it has some."""
        shown = {
            "method": self.request.method,
            "path": self.request.path,
            "params": redact(dict(self.request.params)),
            "body": redact(self.request.json),
        }
        return shown | ({"headers": dict(self.request.own_headers)} if self.request.own_headers else {})

    def shown_response(self) -> dict[str, Any]:
        """JSON-ready, redacted; a body that is not JSON is shown as the beginning of its text."""
        return {
            "status": self.status,
            "took_ms": round(self.took / timedelta(milliseconds=1)),
            "body": redact(_readable(self.body)),
            "error": self.error,
        }


def redact(value: Any) -> Any:
    """The value without secrets, with long texts cut, at any depth."""
    if isinstance(value, dict):
        return {name: HIDDEN if _is_secret(name) and item else redact(item) for name, item in value.items()}
    if isinstance(value, list):
        return [redact(item) for item in value]
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}…"
    return value


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in SECRET_WORDS)


def _readable(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode(errors="replace")
