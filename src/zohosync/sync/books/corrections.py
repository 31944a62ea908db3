"""Corrections by a person: checked against the record, kept, and its held document judged again at once."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from zohosync.db.pool import Connection
from zohosync.errors import RecordGone, SettingsRefused
from zohosync.store.holds import release_holds
from zohosync.store.orders import ShopOrder, read_approvals, read_orders
from zohosync.store.overrides import clear_override, set_override
from zohosync.store.policies import read_policies
from zohosync.store.shop import find_records, read_each
from zohosync.sync.books.overrides import LINE_SKU, Subject, check_override
from zohosync.sync.books.policies import parse_policies

ZONE = ZoneInfo("Asia/Kolkata")
"""Whose midnight ends a business day, where the organisation is not asked."""

SHORTEST_REASON = 3


async def read_sale_record(connection: Connection, entity: str, record_id: str) -> ShopOrder:
    """The order, or the quote in the form of one, that a record of this entity is; RecordGone when it is no more."""
    order: ShopOrder | None
    if entity == "approved_quote":
        approvals, _ = await read_each(connection, read_approvals, [record_id])
        order = approvals[record_id].order if record_id in approvals else None
    else:
        orders, _ = await read_each(connection, read_orders, [record_id])
        order = orders.get(record_id)
    if order is None:
        raise RecordGone(f"The shop no longer has the {entity} {record_id}.", hint="Look for it by its number.")
    return order


async def subject_of(connection: Connection, order: ShopOrder, now: datetime, sku: str | None = None) -> Subject:
    """What checks must know of the record; ``sku`` is looked up in the shop."""
    found = await find_records(connection, "variant", sku) if sku else []
    return Subject(
        today=now.astimezone(ZONE).date(),
        placed_on=_day(order.placed_at),
        lines={
            line.line_id: f"{line.name or line.sku or 'unnamed'}, line {n}" for n, line in enumerate(order.lines, 1)
        },
        skus=tuple({*(label for _, label in found), *([sku] if found and sku else [])}),
    )


async def correct(
    connection: Connection, *, entity: str, record_id: str, field: str, value: str, reason: str, by: str, now: datetime
) -> str:
    """Keep what a person said a field of the record is; the value as it is kept. SettingsRefused when it makes no
    sense."""
    why = check_reason(reason)
    order = await read_sale_record(connection, entity, record_id)
    subject = await subject_of(connection, order, now, sku=value.strip() if field.startswith(LINE_SKU) else None)
    kept = check_override(entity, field, value, subject)
    async with connection.transaction():
        await set_override(connection, entity=entity, record_id=record_id, field=field, value=kept, reason=why, by=by)
        await judge_again(connection)
    return kept


async def withdraw(connection: Connection, *, entity: str, record_id: str, field: str, by: str) -> None:
    """Believe the shop again; SettingsRefused when nothing was overridden."""
    async with connection.transaction():
        if not await clear_override(connection, entity=entity, record_id=record_id, field=field, by=by):
            raise SettingsRefused(
                f"No override of {field} is kept for this {entity}.", hint="`zohosync override list`."
            )
        await judge_again(connection)


async def judge_again(connection: Connection) -> int:
    """Try held records again whose data, or the policies, are not what they were judged by; how many."""
    policies = parse_policies(await read_policies(connection))
    return await release_holds(connection, policies=policies.digest)


def check_reason(reason: str) -> str:
    """What a person wrote as the reason, trimmed; SettingsRefused when it is none."""
    text = " ".join(reason.split())[:500]
    if len(text) < SHORTEST_REASON:
        raise SettingsRefused(
            f"This needs a reason of at least {SHORTEST_REASON} characters; it is kept in the audit trail.",
            hint="Say in a few words why.",
            code="reason_missing",
        )
    return text


def _day(instant: datetime | None) -> date | None:
    return None if instant is None else instant.astimezone(ZONE).date()
