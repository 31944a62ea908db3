"""One operation without the queue: for the parts of streams that do not end operations themselves."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import count
from uuid import uuid4

from stage import Stage
from zohosync.gst.sale import Assessment, SupplyType, TaxCategory, Totals
from zohosync.queue.batch import Batch, Lease
from zohosync.queue.operation import Cause, Lane, Operation, Outcome, Report
from zohosync.store.orders import ShopOrder, read_orders
from zohosync.sync.books.customers import ensure_customer
from zohosync.sync.books.items import ensure_charge_item, ensure_items

ZERO = Decimal(0)
_numbers = count(1)


@dataclass(frozen=True)
class Errand:
    """What one operation of an order does with Books."""

    stage: Stage
    order_id: str
    operation: Operation
    batch: Batch

    @classmethod
    def of(cls, stage: Stage, order_id: str, *, seconds: float = 60) -> "Errand":
        """``seconds``: how long others leave alone what it has claimed."""
        operation = Operation(
            next(_numbers), "books.invoice.push", Lane.SALES, "order", order_id, Cause.CHANGE, 0, None, None
        )
        lease = Lease(stage.services.clock, timedelta(seconds=seconds))
        batch = Batch([operation], claim_id=uuid4(), lease=lease, pool=stage.services.pool, worker="test", judge=_judge)
        return cls(stage, order_id, operation, batch)

    async def order(self) -> ShopOrder:
        async with self.stage.services.pool.connection() as connection:
            return (await read_orders(connection, [self.order_id]))[self.order_id]

    async def customer(self, assessment: Assessment | None = None) -> str:
        desk = self.stage.services.books_desk
        return await ensure_customer(desk, self.batch, self.operation, await self.order(), assessment or assessed())

    async def items(self) -> dict[str, str]:
        return await ensure_items(self.stage.services.books_desk, self.batch, self.operation, await self.order())

    async def charge(self, charge: str, category: TaxCategory = TaxCategory.TAXABLE) -> str:
        return await ensure_charge_item(self.stage.services.books_desk, self.batch, self.operation, charge, category)

    @property
    def warnings(self) -> list[str]:
        return self.batch.warnings.get(self.operation.operation_id, [])


def assessed(treatment: str = "consumer", gstin: str | None = None, place: str = "TS") -> Assessment:
    """What GST makes of a sale, as far as a customer depends on it."""
    nothing = Totals(ZERO, ZERO, ZERO, ZERO, ZERO)
    return Assessment(
        place_of_supply=place,
        place_of_supply_gst_code="36",
        state_source="name",
        supply_type=SupplyType.INTRA,
        gst_treatment=treatment,
        gstin=gstin,
        second_leg="SGST",
        inclusive=False,
        lines=(),
        charges=(),
        totals=nothing,
        entity_level=nothing,
        zero_rated_value=ZERO,
        exempt_value=ZERO,
        nil_value=ZERO,
        round_off=ZERO,
        document_type="tax_invoice",
    )


def _judge(error: BaseException, operation: Operation, _batch: Batch) -> Report:
    return Report(operation.operation_id, Outcome.FAILED, error_message=str(error))
