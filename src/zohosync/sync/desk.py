"""What every push to CRM needs at hand, and the steps they share."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from zohosync.clock import Clock
from zohosync.db.pool import Connection, Pool
from zohosync.errors import NotConnected
from zohosync.queue.batch import Batch
from zohosync.queue.operation import Operation, Outcome, Report
from zohosync.store import write_backs
from zohosync.zoho.auth import Custodian
from zohosync.zoho.client import Context
from zohosync.zoho.crm import Crm
from zohosync.zoho.fields import FieldCatalogue

# Metadata changes when an administrator edits fields: rarely, and a refusal tells.
CATALOGUE_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings the streams obey. ``*_automations``: whether Zoho's workflows run for new records. ``look_again``:
    how long after a look in vain a document in doubt is looked for once more, before it is made."""

    phone_region: str = "IN"
    call_timeout: timedelta = timedelta(seconds=20)
    look_again: timedelta = timedelta(seconds=20)
    contact_automations: bool = True
    lead_automations: bool = True


@dataclass(frozen=True, slots=True)
class Sent:
    """What Zoho accepted for one operation."""

    operation: Operation
    zoho_id: str
    action: str
    payload: Mapping[str, Any]


class CrmDesk:
    """CRM, its organisation and its fields, for one process."""

    def __init__(self, pool: Pool, crm: Crm, custodian: Custodian, clock: Clock, policy: Policy) -> None:
        self.pool = pool
        self.clock = clock
        self.policy = policy
        self._crm = crm
        self._custodian = custodian
        self._catalogues: dict[str, tuple[float, FieldCatalogue]] = {}
        self._loading = asyncio.Lock()

    def crm_for(self, batch: Batch) -> Crm:
        """CRM for one batch: nothing is sent unless the batch stays ours until the answer must be there. Else another
        worker could look for what we are just creating, not find it, and create it too."""

        async def check_lease() -> None:
            batch.lease.check(self.policy.call_timeout)

        return self._crm.within(Context(priority="people", before_send=check_lease))

    async def organisation_id(self) -> str:
        """Whose records these are; NotConnected when nobody connected yet."""
        access = await self._custodian.access()
        if access.organisation_id is None:
            raise NotConnected("The Zoho organisation is not known yet.", hint="Run `zohosync connect`.")
        return access.organisation_id

    async def catalogue(self, module: str) -> FieldCatalogue:
        """The module's fields, at most ten minutes old."""
        async with self._loading:
            kept = self._catalogues.get(module)
            if kept is None or self.clock.monotonic() - kept[0] > CATALOGUE_LIFETIME.total_seconds():
                kept = (self.clock.monotonic(), await self._crm.fields(module))
                self._catalogues[module] = kept
            return kept[1]

    def forget_catalogue(self, module: str) -> None:
        """Zoho refused what its fields seemed to allow: look at them again."""
        self._catalogues.pop(module, None)


async def write_back(connection: Connection, *, entity: str, system: str, ids: dict[str, str]) -> None:
    """Write ids of Zoho into the shop, in the caller's transaction. Rows the shop holds locked or refuses are left to
    the clock: what Zoho accepted must not be undone by that."""
    if ids:
        left = await write_backs.write(connection, entity=entity, system=system, ids=ids)
        await write_backs.postpone(connection, entity=entity, system=system, ids=left)


def succeeded(sent: Sent, *, module: str, digest: str | None, warnings: Sequence[str], label: str | None) -> Report:
    """The report of an operation whose payload Zoho accepted."""
    return Report(
        sent.operation.operation_id,
        Outcome.SUCCEEDED,
        warnings=tuple(warnings),
        zoho_module=module,
        zoho_id=sent.zoho_id,
        action=sent.action,
        label=label,
        digest=digest,
        request={"module": module, "record": dict(sent.payload)},
        response={"id": sent.zoho_id, "action": sent.action},
    )
