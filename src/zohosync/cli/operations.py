"""Commands by which a person asks for work: sync one record, retry what failed."""

import asyncio
import getpass
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Annotated

import typer

from zohosync.cli import screen
from zohosync.cli.installation import AsJson
from zohosync.config import Settings, load_settings
from zohosync.console.words import may_retry
from zohosync.db.address import check_address
from zohosync.db.pool import Connection
from zohosync.errors import SettingsRefused, ZohosyncError
from zohosync.store import audit
from zohosync.store.insights import NEWEST, Filters, Operation, find_operation, list_operations
from zohosync.store.operations import enqueue
from zohosync.store.shop import find_records
from zohosync.wiring import Services, open_services

PAGE = 500


class RecordUnknown(ZohosyncError):
    """What was named is not there."""

    code = "record_unknown"


@dataclass
class Retry:
    """What a retry found: who may be tried again, and why the others are left."""

    eligible: list[Operation] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def judge(self, operation: Operation) -> None:
        """Sort one operation in."""
        if may_retry(operation):
            self.eligible.append(operation)
        elif operation.open_sibling is not None:
            self.left["another operation of the record is under way"] += 1
        elif operation.resolved_at is not None:
            self.left["cured since"] += 1
        else:
            self.left[f"{operation.status}, so there is nothing to retry"] += 1


def actor() -> str:
    """Who asks, for the audit trail."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):  # a container may run as a user without a name
        return "command line"


def sync(
    entity: Annotated[
        str,
        typer.Argument(
            help="customer, inquiry, quote, order, approved_quote, refund, variant or buyer.", show_default=False
        ),
    ],
    term: Annotated[str, typer.Argument(metavar="ID|NUMBER|E-MAIL", help="Which one.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Sync one record now, even one from before go-live. It never makes a second record in Zoho."""
    operation_ids, record_id = asyncio.run(_sync(load_settings(), entity, term))
    if as_json:
        screen.show_json({"entity": entity, "record_id": record_id, "operations": operation_ids})
    else:
        numbers = ", ".join(f"#{number}" for number in operation_ids)
        screen.show(f"The {entity} {record_id} is queued as {numbers}; a running worker takes it up at once.")


async def _sync(settings: Settings, entity: str, term: str) -> tuple[list[int], str]:
    check_address(settings.require_database())
    async with open_services(settings) as services, services.pool.connection() as connection:
        kinds = streams_of(services, entity)
        record_id = await find_one(connection, entity, term)
        async with connection.transaction():
            made: list[int] = []
            for kind, lane in kinds:
                made += await enqueue(
                    connection,
                    kind=kind,
                    lane=lane,
                    entity=entity,
                    record_ids=[record_id],
                    cause="manual",
                    requested_by=actor(),
                )
            await audit.record(
                connection,
                actor=actor(),
                action="operation.sync_now",
                entity=entity,
                record_id=record_id,
                detail={"operations": made},
                operation_id=made[0],
            )
    return made, record_id


def streams_of(services: Services, entity: str) -> list[tuple[str, str]]:
    """Kind and lane of each stream the entity feeds; SettingsRefused when there is no such entity."""
    kinds = [(stream.kind, stream.lane.value) for stream in services.streams if entity in stream.entities]
    if not kinds:
        known = sorted({name for stream in services.streams for name in stream.entities})
        raise SettingsRefused(f"There is no entity {entity!r}.", hint=f"Choose one of {', '.join(known)}.")
    return kinds


async def find_one(connection: Connection, entity: str, term: str) -> str:
    """The id of the one record a person means by an id or an e-mail address; RecordUnknown when it is not one."""
    found = await find_records(connection, entity, term)
    if not found:
        raise RecordUnknown(
            f"The shop has no {entity} {term!r}.", hint="Name it by its id, its number or SKU, or its e-mail address."
        )
    if len(found) > 1:
        ids = ", ".join(record_id for record_id, _ in found)
        raise RecordUnknown(f"{term!r} names {len(found)} records.", hint=f"Choose one id, newest first: {ids}.")
    return found[0][0]


def retry(
    operation_id: Annotated[int | None, typer.Option("--id", min=1, help="One operation.", show_default=False)] = None,
    all_failed: Annotated[bool, typer.Option("--all-failed", help="All that failed and are not cured.")] = False,
    kind: Annotated[str | None, typer.Option(help="Only this kind, such as crm.lead.push.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Try failed operations again with a fresh budget of tries; alone it only says how many are eligible."""
    if operation_id is not None and (all_failed or kind):
        raise SettingsRefused("--id names one operation, so nothing else can be chosen.", hint="Leave the rest out.")
    found, made = asyncio.run(_retry(load_settings(), operation_id, kind, only_count=not (all_failed or operation_id)))
    if as_json:
        screen.show_json({"eligible": len(found.eligible), "left": found.left, "queued": made})
        return
    left = "".join(f"; {count} left: {why}" for why, count in found.left.items())
    screen.show(f"{len(found.eligible)} eligible{left}.")
    if made:
        screen.show(f"{len(made)} queued again; a running worker takes them up at once.")
    elif found.eligible:
        screen.show("Nothing was queued: choose --id N or --all-failed.")


async def _retry(
    settings: Settings, operation_id: int | None, kind: str | None, *, only_count: bool
) -> tuple[Retry, list[int]]:
    check_address(settings.require_database())
    async with open_services(settings) as services, services.pool.connection() as connection:
        _check_kind(services, kind)
        found = Retry()
        with screen.progress("Reading the log"):
            for operation in await _named(connection, operation_id) or await _failed(connection, operation_id, kind):
                found.judge(operation)
        return found, [] if only_count else await _enqueue(connection, found.eligible)


def _check_kind(services: Services, kind: str | None) -> None:
    known = [stream.kind for stream in services.streams]
    if kind is not None and kind not in known:
        raise SettingsRefused(f"There is no kind {kind!r}.", hint=f"Choose one of {', '.join(known)}.")


async def _named(connection: Connection, operation_id: int | None) -> list[Operation]:
    if operation_id is None:
        return []
    operation = await find_operation(connection, operation_id)
    if operation is None:
        raise RecordUnknown(f"There is no operation #{operation_id}.", hint="`zohosync status` counts what failed.")
    return [operation]


async def _failed(connection: Connection, operation_id: int | None, kind: str | None) -> list[Operation]:
    """Everything that failed and was not cured since, newest first, a record of one kind once."""
    if operation_id is not None:
        return []
    found: dict[tuple[str, str, str], Operation] = {}
    before = NEWEST
    while page := await list_operations(connection, Filters(state="failed", kind=kind), before=before, limit=PAGE):
        for operation in page:
            found.setdefault((operation.kind, operation.entity, operation.record_id), operation)
        before = page[-1].operation_id
    return list(found.values())


async def _enqueue(connection: Connection, operations: list[Operation]) -> list[int]:
    by_work: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for operation in operations:
        by_work[operation.kind, operation.lane, operation.entity].append(operation.record_id)
    made: list[int] = []
    async with connection.transaction():
        for (kind, lane, entity), record_ids in by_work.items():
            made += await enqueue(
                connection,
                kind=kind,
                lane=lane,
                entity=entity,
                record_ids=record_ids,
                cause="manual",
                requested_by=actor(),
            )
        if made:
            await audit.record(connection, actor=actor(), action="operation.retry", detail={"operations": made})
    return made
