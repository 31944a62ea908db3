"""The web face at `/`: records by module, one record with its notes, what is live, a few faults to press."""

from starlette.routing import Route


def routes() -> list[Route]:
    return []
