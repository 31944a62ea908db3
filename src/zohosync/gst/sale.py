"""What GST needs to know of a sale, and what it makes of it.

Amounts are Decimal rupees, rates Decimal percent, states Zoho's two letters (AD, not AP; TS, not TG).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Literal, TypeAlias

ZERO = Decimal(0)


class PriceBasis(StrEnum):
    """What the shop's prices are. AS_CHARGED: whatever the shop called tax, what the customer paid is the gross, and
    the tax is extracted from it."""

    EXCLUSIVE = "exclusive"
    INCLUSIVE = "inclusive"
    AS_CHARGED = "as_charged"


class TaxCategory(StrEnum):
    TAXABLE = "taxable"
    EXEMPT = "exempt"
    NIL = "nil"
    ZERO_RATED_NA = "zero_rated_na"


class SupplyType(StrEnum):
    INTRA = "intra"
    INTER = "inter"


class ChargePolicy(StrEnum):
    """How shipping and the fee for cash on delivery are taxed in an order of several rates."""

    APPORTION = "apportion"
    HIGHEST = "highest"


StateSource: TypeAlias = Literal["code", "name", "alias", "fuzzy+pin", "pin", "gstin", "seller", "person"]
"""How a state was told. `seller`: collected at the counter; `person`: an administrator's override."""

SpecialBuyer: TypeAlias = Literal["", "sez", "overseas"]


@dataclass(frozen=True, slots=True)
class Place:
    """An address as far as tax cares; ``state`` is free text. ``by_person``: an administrator wrote it."""

    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    by_person: bool = False


@dataclass(frozen=True, slots=True)
class Buyer:
    """``is_business``: it ordered as a firm (a company name, or the role of a B2B client); ``is_b2b``: it is known as a
    B2B client, so that a GSTIN is expected of it."""

    gstin: str | None = None
    is_business: bool = False
    is_b2b: bool = False
    special: SpecialBuyer = ""


@dataclass(frozen=True, slots=True)
class SaleLine:
    """One line. ``key`` is the caller's and comes back; ``discount`` is in rupees, of this line alone.

    A quantity or price the shop does not have is None: the sale is then held."""

    key: str
    sku: str
    quantity: Decimal | None
    unit_price: Decimal | None
    discount: Decimal = ZERO
    hsn: str | None = None
    rate: Decimal | None = None
    category: TaxCategory | None = None


@dataclass(frozen=True, slots=True)
class Sale:
    """One order or quote. ``charged`` is what the customer is asked for in all, None when nobody said;
    ``counter``: collected from the seller, so no address is needed."""

    lines: tuple[SaleLine, ...]
    buyer: Buyer
    ship_to: Place
    bill_to: Place | None
    on: date
    price_basis: PriceBasis | None
    order_discount: Decimal = ZERO
    shipping: Decimal = ZERO
    cod_fee: Decimal = ZERO
    charged: Decimal | None = None
    currency: str = "INR"
    counter: bool = False
    third_party: bool | None = None
    """Whether a registered buyer lets the goods be delivered to somebody else; None: nobody said."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the organisation decided once. ``seller_state`` is Zoho's code of the GSTIN the goods are sold from.

    ``lut``: whether exports and supplies to SEZ go without tax under a letter of undertaking, None: nobody said;
    ``most_round_off``: the largest round-off in rupees."""

    seller_state: str
    charge_policy: ChargePolicy | None = None
    lut: bool | None = None
    b2b_without_gstin: Literal["hold", "unregistered"] = "hold"
    most_round_off: Decimal = Decimal("1.00")
    rates: frozenset[Decimal] = frozenset({Decimal(0), Decimal(5), Decimal(18)})


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a sale needs a person. ``code`` is one of the reason codes, ``subject`` what it is about (a SKU, a rate, an
    amount) or empty; ``message`` is one sentence, ``hint`` says what to correct and where."""

    code: str
    subject: str
    message: str
    hint: str

    @property
    def name(self) -> str:
        """As the worked cases write it: gst_rate_missing:NEW-SKU."""
        return f"{self.code}:{self.subject}" if self.subject else self.code


@dataclass(frozen=True, slots=True)
class TaxedLine:
    """A line of goods, or a part of a charge, with its tax. ``gross`` is quantity x price; ``discount_share`` its share
    of the order's discount; ``net`` = gross - own discount - share, in the basis of the document; ``value`` is the
    taxable or exempt value; ``total`` is what the customer pays for it."""

    key: str
    sku: str
    hsn: str | None
    quantity: Decimal
    unit_price: Decimal
    gross: Decimal
    discount: Decimal
    discount_share: Decimal
    net: Decimal
    rate: Decimal
    category: TaxCategory
    value: Decimal
    cgst: Decimal
    sgst: Decimal
    igst: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of a document. ``total`` excludes the round-off."""

    taxable_value: Decimal
    cgst: Decimal
    sgst: Decimal
    igst: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class Assessment:
    """A sale that can be invoiced. ``inclusive``: the lines' prices contain the tax. ``totals`` is rounded per line and
    leg, ``entity_level`` once per rate as some organisations have it. ``round_off`` = charged - totals.total.

    ``charges`` has the parts of shipping and of the fee, keyed ``shipping`` and ``cod_fee``."""

    place_of_supply: str
    place_of_supply_gst_code: str
    state_source: StateSource
    supply_type: SupplyType
    gst_treatment: str
    gstin: str | None
    second_leg: Literal["SGST", "UTGST", ""]
    inclusive: bool
    lines: tuple[TaxedLine, ...]
    charges: tuple[TaxedLine, ...]
    totals: Totals
    entity_level: Totals
    zero_rated_value: Decimal
    exempt_value: Decimal
    nil_value: Decimal
    round_off: Decimal
    document_type: Literal["tax_invoice", "bill_of_supply", "invoice_cum_bill_of_supply"]
    warnings: tuple[Problem, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """A sale that needs a person; at least one problem, the most telling first."""

    problems: tuple[Problem, ...]
