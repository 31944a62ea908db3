"""The command that says how things are."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from zohosync.cli import screen
from zohosync.cli.installation import AsJson
from zohosync.config import load_settings
from zohosync.console.words import describe_age, describe_count
from zohosync.db.address import reach
from zohosync.db.pool import Connection
from zohosync.store.holds import count_held
from zohosync.store.insights import count_by_state, group_failures, lane_depths
from zohosync.store.installation import read_installation
from zohosync.store.operations import count_by_status
from zohosync.store.tokens import find_connection
from zohosync.store.workers import list_workers


def status(as_json: AsJson = False) -> None:
    """Show connection, capture, counts by state, held documents by reason, lanes, workers, and failures by cause."""
    found = asyncio.run(_read(load_settings().require_database()))
    if as_json:
        screen.show_json(found)
    else:
        _tell(found)


async def _read(url: str) -> dict[str, Any]:
    async with reach(url) as connection:
        installation = await read_installation(connection)
        lanes = await lane_depths(connection)
        return {
            "installation": asdict(installation),
            "connection": await _connection(connection),
            "counts": asdict(await count_by_state(connection)),
            "statuses": await count_by_status(connection),
            "lanes": [asdict(lane) for lane in lanes],
            "oldest_waiting_at": min(
                (lane.oldest_requested_at for lane in lanes if lane.oldest_requested_at), default=None
            ),
            "workers": [asdict(worker) for worker in await list_workers(connection)],
            "held": await count_held(connection),
            "failures": [asdict(group) for group in await group_failures(connection)],
        }


async def _connection(connection: Connection) -> dict[str, Any]:
    """The login, without anything secret."""
    row = await find_connection(connection)
    if row is None:
        return {"state": "not_connected", "organisation": None, "error": None}
    return {
        "state": row.state,
        "organisation": row.organisation_name,
        "organisation_id": row.organisation_id,
        "data_centre": row.data_centre,
        "connected_at": row.connected_at,
        "error": row.error_message,
    }


def _tell(found: dict[str, Any]) -> None:
    installation, login, counts = found["installation"], found["connection"], found["counts"]
    live, now = installation["live_since"], datetime.now(UTC)
    capture = "on" if installation["capturing"] else "paused" if live else "not live yet: run `zohosync golive`"
    screen.show_facts(
        {
            "Zoho": " · ".join(filter(None, (login["state"].replace("_", " "), login["organisation"], login["error"]))),
            "Capture": f"{capture}{f', live since {live:%Y-%m-%d %H:%M %Z}' if live else ''}",
            "Operations": ", ".join(
                f"{describe_count(counts[name])} {name}" for name in ("success", "pending", "failed")
            ),
            "Oldest waiting": describe_age(found["oldest_waiting_at"], now) if found["oldest_waiting_at"] else "none",
            "Held": ", ".join(f"{count} {code}" for code, count in found["held"].items()) or "none",
            "Workers": ", ".join(_worker(worker, now) for worker in found["workers"]) or "none seen in a day",
        }
    )
    screen.show_table(
        "Lanes",
        ("lane", "open", "running", "waiting"),
        [(lane["lane"], lane["open"], lane["running"], lane["waiting"]) for lane in found["lanes"]],
    )
    if found["failures"]:
        screen.show_table(
            "Failures by cause",
            ("count", "cause", "what happened", "remedy"),
            [(group["count"], group["error_code"], group["message"], group["hint"]) for group in found["failures"]],
        )


def _worker(worker: dict[str, Any], now: datetime) -> str:
    return (
        worker["name"]
        if worker["alive"]
        else f"{worker['name']} (silent, last seen {describe_age(worker['seen_at'], now)})"
    )
