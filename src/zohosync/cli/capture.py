"""Commands that start and stop watching the shop."""

import asyncio

from zohosync.cli import screen
from zohosync.cli.installation import AsJson
from zohosync.config import Settings, load_settings
from zohosync.db.address import check_address
from zohosync.errors import SettingsRefused
from zohosync.store.installation import GoneLive, go_live
from zohosync.store.installation import pause as pause_capture
from zohosync.sync.doctor.finding import age, count
from zohosync.wiring import open_services


def golive(as_json: AsJson = False) -> None:
    """Start capture. What the shop holds now counts as old and is never synced by itself."""
    gone = asyncio.run(_golive(load_settings()))
    if as_json:
        screen.show_json({"live_since": gone.live_since, "already": gone.already, "baseline": gone.baseline})
    elif gone.already:
        screen.show(f"Capture is on; live since {gone.live_since:%Y-%m-%d %H:%M:%S %Z}.")
    else:
        left = count(gone.baseline, "older record is", "older records are")
        screen.show(f"Live since {gone.live_since:%Y-%m-%d %H:%M:%S %Z}. {left} left alone.")


async def _golive(settings: Settings) -> GoneLive:
    check_address(settings.require_database())
    with screen.progress("Looking at what the shop holds"):
        async with open_services(settings) as services, services.pool.connection() as connection:
            live_since = services.installation.live_since
            if live_since is not None and not services.installation.capturing:
                raise SettingsRefused(
                    f"This shop is live since {live_since:%Y-%m-%d %H:%M:%S %Z}, and somebody paused its capture.",
                    hint="To end the pause, run `zohosync resume`.",
                )
            return await go_live(connection, services.sources)


def pause() -> None:
    """Stop capture without uninstalling. Work under way is finished; what changes meanwhile is found later."""
    asyncio.run(_pause(load_settings()))
    screen.show("Capture is paused; `zohosync resume` starts it again.")


async def _pause(settings: Settings) -> None:
    check_address(settings.require_database())
    async with open_services(settings) as services, services.pool.connection() as connection:
        await pause_capture(connection)


def resume() -> None:
    """Start capture again after a pause; the catch-up scan finds what changed meanwhile."""
    settings = load_settings()
    asyncio.run(_resume(settings))
    wait = age(settings.scan_interval.total_seconds())
    screen.show(
        f"Capture is on. What changed during the pause is found by the next catch-up scan, within {wait} while a worker"
        " runs."
    )


async def _resume(settings: Settings) -> None:
    check_address(settings.require_database())
    async with open_services(settings) as services, services.pool.connection() as connection:
        if services.installation.live_since is None:
            raise SettingsRefused(
                "This shop has not gone live yet, so there is no pause to end.", hint="Run `zohosync golive`."
            )
        await go_live(connection, services.sources)
