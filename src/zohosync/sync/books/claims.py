"""A record of the shop on its way to become one of Books: claimed before anything is sent, kept once it is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from zohosync.db.pool import Connection
from zohosync.queue.batch import Batch
from zohosync.queue.operation import Operation
from zohosync.store.links import (
    Creation,
    Link,
    NewLink,
    claim_creations,
    find_links,
    forget_link,
    note_look,
    release_creations,
    save_links,
)
from zohosync.sync.books.desk import BooksDesk
from zohosync.sync.decide import fingerprint_of
from zohosync.zoho.canonical import canonical_json

SYSTEM = "books"


@dataclass(frozen=True, slots=True)
class Claim:
    """One record of the shop and one module of Books, for the operation that needs them linked."""

    desk: BooksDesk
    batch: Batch
    operation: Operation
    module: str
    entity: str
    record_id: str

    async def find(self, connection: Connection) -> Link | None:
        """The link as it is."""
        found = await find_links(
            connection, system=SYSTEM, module=self.module, entity=self.entity, record_ids=[self.record_id]
        )
        return found.get(self.record_id)

    async def take(self, reference: str) -> bool:
        """Remember, before it is sent, what is about to be created. False: another operation is just creating it, or
        has done so."""
        organisation = await self.desk.organisation_id()
        async with self.desk.pool.connection() as connection:
            taken = await claim_creations(
                connection,
                system=SYSTEM,
                module=self.module,
                entity=self.entity,
                organisation_id=organisation,
                creations=[Creation(self.record_id, reference, self.operation.operation_id)],
                hold=self.batch.lease.duration,
            )
        return self.record_id in taken

    async def was_sought(self, patience: timedelta) -> bool:
        """Whether it was looked for in vain before, at least that long ago; else this look is remembered."""
        async with self.desk.pool.connection() as connection:
            return await note_look(
                connection,
                system=SYSTEM,
                module=self.module,
                entity=self.entity,
                record_id=self.record_id,
                patience=patience,
            )

    async def release(self) -> None:
        """Books refused: whoever comes next may try at once."""
        async with self.desk.pool.connection() as connection:
            await release_creations(
                connection, system=SYSTEM, module=self.module, entity=self.entity, record_ids=[self.record_id]
            )

    async def keep(self, connection: Connection, zoho_id: str, payload: Mapping[str, Any]) -> bool:
        """Books has it. False when that record already belongs to another one of the shop."""
        agreed = plain(payload)
        refused = await save_links(
            connection,
            system=SYSTEM,
            module=self.module,
            entity=self.entity,
            organisation_id=await self.desk.organisation_id(),
            links=[NewLink(self.record_id, zoho_id, fingerprint_of(agreed), agreed)],
        )
        return not refused

    async def forget(self, connection: Connection) -> None:
        """It is no longer in Books, or was never to be linked."""
        await forget_link(connection, system=SYSTEM, module=self.module, entity=self.entity, record_id=self.record_id)


def plain(payload: Mapping[str, Any]) -> dict[str, Any]:
    """As it is stored and compared: amounts as JSON has them."""
    read: dict[str, Any] = orjson.loads(canonical_json(payload))
    return read
