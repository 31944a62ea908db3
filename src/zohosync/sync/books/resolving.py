"""A person's decision about a finding, carried out: closed, and what it asks for queued, in one transaction."""

from dataclasses import dataclass

from zohosync.db.pool import Connection
from zohosync.errors import SettingsRefused
from zohosync.store import audit
from zohosync.store.findings import Finding, find_finding, resolve_finding
from zohosync.store.operations import enqueue
from zohosync.sync.books.corrections import check_reason
from zohosync.sync.books.finding_catalogue import Action, entry_of, find_choice
from zohosync.sync.books.links_by_hand import KINDS, undo_link

LANE = "sales"
UNLINKING = frozenset({Action.REPLACE, Action.UNLINK})
QUEUING = frozenset({Action.SYNC, Action.SEND, Action.REPLACE})


@dataclass(frozen=True, slots=True)
class Decided:
    """A closed finding and the operations its decision asked for."""

    finding: Finding
    operations: tuple[int, ...]


async def decide(
    connection: Connection, *, finding_id: int, action: str, reason: str, by: str, is_admin: bool
) -> Decided:
    """Close the finding as a person wants; SettingsRefused when that is not offered, or not theirs to decide.

    To link another document is not done here: ``links_by_hand`` asks which.
    """
    found = await find_finding(connection, finding_id)
    if found is None or found.closed_at is not None:
        raise _refusal(f"There is no open finding {finding_id}.", "It may be closed already; look at the list.")
    choice = find_choice(found.code, action)
    if choice is None or choice.action is Action.LINK:
        offered = ", ".join(c.action for c in entry_of(found.code).choices if c.action is not Action.LINK)
        raise _refusal(f"{action!r} cannot be done about {found.code}.", f"Choose one of {offered}.")
    if choice.admin and not is_admin:
        raise _refusal(f"Only an administrator may choose {choice.label!r}.", "Ask one, or accept it.")
    why = check_reason(reason)
    async with connection.transaction():
        if choice.action in UNLINKING:
            await undo_link(
                connection, entity=found.entity, record_id=found.record_id, module=found.module, reason=why, by=by
            )
        closed = await resolve_finding(connection, finding_id=finding_id, action=choice.kept_as, reason=why, by=by)
        if closed is None:
            raise _refusal(f"Finding {finding_id} was closed just now.", "Look at the list again.")
        made = await _queue(connection, found, choice.action, by)
        await audit.record(
            connection,
            actor=by,
            action=f"finding.{choice.action}",
            entity=found.entity,
            record_id=found.record_id,
            reason=why,
            detail={"finding": finding_id, "code": found.code, "operations": made},
            operation_id=made[0] if made else None,
        )
    return Decided(closed, tuple(made))


async def _queue(connection: Connection, found: Finding, action: Action, by: str) -> list[int]:
    entity = "refund" if action is Action.CREDIT else found.entity
    if action is not Action.CREDIT and action not in QUEUING:
        return []
    return await enqueue(
        connection,
        kind=KINDS[entity],
        lane=LANE,
        entity=entity,
        record_ids=[found.record_id],
        cause="manual",
        requested_by=by,
    )


def _refusal(message: str, hint: str) -> SettingsRefused:
    return SettingsRefused(message, hint=hint, code="finding_refused")
