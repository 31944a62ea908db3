"""How documents are made: what an accountant decides once. Stored row by row; what has no row is as written here."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from zohosync.errors import SettingsRefused
from zohosync.gst.rates import show_rate
from zohosync.gst.sale import ChargePolicy, PriceBasis, Rules, TaxCategory
from zohosync.zoho.canonical import canonical_json

Digits = r"^\d{5,25}$"
HSN = r"^\d{4}(\d{2}(\d{2})?)?$"
COMMON_RATES = Rules(seller_state="").rates
"""Rates of today that need no decision, in percent."""
Rate = Annotated[Decimal, Field(gt=0, le=40, decimal_places=3)]


class Policies(BaseModel):
    """Every policy. None means: nobody decided; what then happens is said with each."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    # --- prices and tax
    price_basis: PriceBasis | None = Field(
        None,
        description="What the shop's prices are: exclusive of GST, inclusive of it, or as_charged (what was paid"
        " contains it). Until it is set, every document is held.",
    )
    shipping_tax: ChargePolicy | None = Field(
        None,
        description="Tax of shipping and the COD fee in an order of several rates: apportion by value, or highest rate."
        " Until it is set, such orders are held.",
    )
    lut: bool | None = Field(
        None, description="Whether exports and supplies to SEZ go without tax under a LUT. Until set, they are held."
    )
    b2b_without_gstin: Literal["hold", "unregistered"] = Field(
        "hold", description="What becomes of an order of a B2B client without a GSTIN."
    )
    more_rates: tuple[Rate, ...] = Field(
        (),
        max_length=20,
        description="Rates of GST the shop's goods may have besides 0, 5 and 18. Goods of any other rate are held.",
    )
    default_gst_rate: Decimal | None = Field(
        None,
        ge=0,
        le=100,
        description="Rate of variants that have none: 0, 5, 18 or one of more_rates. Not set: their orders are held.",
    )
    default_tax_category: TaxCategory | None = Field(
        None, description="Tax category of variants that have none. Not set: a variant with a rate above 0 is taxable."
    )
    default_hsn: str | None = Field(
        None, pattern=HSN, description="HSN code of variants that have none. Not set: their orders are held."
    )
    exemption_id: str | None = Field(
        None,
        pattern=Digits,
        description="Which tax exemption of Books exempt items get. Not needed when the organisation has one only.",
    )
    round_off_tolerance: Decimal = Field(
        Decimal("1.00"), ge=0, le=1, description="Largest difference in rupees that is booked as a round-off."
    )

    # --- invoices
    invoice_when: Literal["payment", "dispatch"] = Field(
        "payment", description="When a paid order is invoiced: at once, or when it is dispatched."
    )
    cod_invoice_when: Literal["dispatch", "payment"] = Field(
        "dispatch", description="When a cash-on-delivery order is invoiced."
    )
    invoice_number: Literal["zoho", "order_number"] = Field(
        "zoho", description="Who numbers invoices: the series of Books, or the shop's order number."
    )
    invoice_template_id: str | None = Field(None, pattern=Digits, description="Template of invoices in Books.")
    mail_invoice: bool = Field(False, description="Whether Books mails the invoice to the customer.")
    location_id: str | None = Field(None, pattern=Digits, description="Location (branch) all documents belong to.")

    # --- money
    deposit_accounts: dict[str, str] = Field(
        default_factory=dict,
        description="Account of Books a payment goes to, by payment method of the shop, as in razorpay=<account id>."
        " Not set: Books' own default.",
    )
    payment_modes: dict[str, str] = Field(
        default_factory=lambda: {"bank_transfer": "banktransfer", "cod": "cash"},
        description="Payment mode of Books by payment method of the shop; others are `others`.",
    )
    refund_account_id: str | None = Field(
        None,
        pattern=Digits,
        description="Account refunds are paid from. Not set: the deposit account of the order's payment method, else"
        " the credit stays open.",
    )
    goods_returned: Literal["yes", "no", "ask"] = Field(
        "ask",
        description="Whether the goods of a refunded order come back into stock, where the shop does not say.",
    )

    # --- customers and items
    item_type: Literal["inventory", "sales"] = Field(
        "inventory", description="What new items are in Books: tracked inventory, or plain sales items."
    )
    sales_account_id: str | None = Field(None, pattern=Digits, description="Income account of new items.")
    purchase_account_id: str | None = Field(None, pattern=Digits, description="Cost account of new items.")
    inventory_account_id: str | None = Field(None, pattern=Digits, description="Stock account of new items.")

    # --- no second document
    unique_reference_field: str | None = Field(
        None,
        pattern=r"^cf_[a-z0-9_]{1,90}$",
        description="API name of the no-duplicates custom field of invoices, quotes, credit notes and payments.",
    )

    @field_validator("deposit_accounts")
    @classmethod
    def _accounts_are_ids(cls, value: dict[str, str]) -> dict[str, str]:
        TypeAdapter(dict[str, str]).validate_python(value)
        for method, account in value.items():
            if not (account.isascii() and account.isdecimal()):
                raise ValueError(f"the account of {method} must be an id of Books, digits only")
        return value

    @field_validator("more_rates")
    @classmethod
    def _rates_in_order(cls, value: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
        """Each once: the digest is of what they say, not of how they were typed."""
        return tuple(sorted({Decimal(show_rate(rate)) for rate in value}))

    @property
    def rates(self) -> frozenset[Decimal]:
        """All rates goods may have, in percent."""
        return COMMON_RATES | frozenset(self.more_rates)

    @property
    def digest(self) -> str:
        """Changes when any decision changes."""
        return hashlib.sha256(canonical_json(self.model_dump(mode="json"))).hexdigest()

    def mode_of(self, method: str | None) -> str:
        """Books' payment mode of one of the shop's payment methods."""
        return self.payment_modes.get(method or "", "others")


def parse_policies(rows: Mapping[str, Any]) -> Policies:
    """From what is stored; a stored value that is no longer allowed is refused by name, not ignored."""
    try:
        return Policies.model_validate(dict(rows))
    except ValidationError as error:
        raise _refusal(error) from error


def parse_policy(name: str, text: str, decided: Mapping[str, Any] | None = None) -> Any:
    """One policy as a person types it; the JSON value to store. SettingsRefused says what is wrong, by itself or beside
    what else is ``decided``."""
    if name not in Policies.model_fields:
        raise SettingsRefused(
            f"There is no policy {name}.", hint=f"Policies are: {', '.join(sorted(Policies.model_fields))}."
        )
    value = _typed(name, text)
    try:
        policy = Policies.model_validate({name: value})
    except ValidationError as error:
        raise _refusal(error) from error
    if policy.default_gst_rate is not None:
        _check_default_rate(policy.default_gst_rate, parse_policies(decided or {}).rates)
    return policy.model_dump(mode="json")[name]


def _check_default_rate(rate: Decimal, allowed: frozenset[Decimal]) -> None:
    """Refused here, where somebody can mend it, rather than with every document."""
    if rate not in allowed:
        raise SettingsRefused(
            f"A rate of {show_rate(rate)} percent is not one of {', '.join(map(show_rate, sorted(allowed)))}.",
            hint=f"If goods have it, name it first: `zohosync policy set more_rates {show_rate(rate)}`.",
        )


def _typed(name: str, text: str) -> Any:
    stripped = text.strip()
    if name in {"deposit_accounts", "payment_modes"}:
        try:
            return dict(pair.split("=", 1) for pair in stripped.replace(" ", "").split(",") if pair)
        except ValueError:
            raise SettingsRefused(
                f"{name} is written as method=value, several separated by commas.",
                hint="For example: razorpay=460000000000361,cod=460000000000358",
            ) from None
    if name == "more_rates":
        return [rate for rate in stripped.replace("%", " ").replace(",", " ").split() if rate]
    if stripped.lower() in {"true", "yes", "false", "no"} and name in {"lut", "mail_invoice"}:
        return stripped.lower() in {"true", "yes"}
    return stripped


def _refusal(error: ValidationError) -> SettingsRefused:
    faults = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors())
    return SettingsRefused(f"Policy refused: {faults}.", hint="`zohosync policy` lists what each may be.")
