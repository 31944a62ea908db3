"""The organisations of Books: what they are, and the calls that show them.

https://www.zoho.com/books/api/v3/organizations/
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from zohosim.answers import Answer, Json
from zohosim.books import locations
from zohosim.books.accounts import open_chart
from zohosim.books.answers import told
from zohosim.books.exemptions import open_exemptions
from zohosim.books.limits import PLANS, BooksLimits
from zohosim.books.preferences import Preferences
from zohosim.books.records import Ledger
from zohosim.books.states import STATES
from zohosim.books.taxes import standard_taxes
from zohosim.books.webhooks import Webhooks
from zohosim.calls import Call

if TYPE_CHECKING:
    from zohosim.simulator import Simulator

FIRST_ID = 60_031_234_567
ENTITY_PREFIX = 4_136_804_000_000_000_000
"""Everything in one organisation has ids of 19 digits that start alike."""


@dataclass(frozen=True, slots=True)
class Seed:
    """An organisation as a test or a person asks for it."""

    name: str = "KN Biosciences"
    plan: str = "premium"
    state_code: str = "TS"
    gst: bool = True
    country_code: str = "IN"
    currency_code: str = "INR"
    time_zone: str = "Asia/Kolkata"
    email: str = "admin@example.com"
    id: str = ""
    """Empty: the next free one."""

    def checked(self) -> "Seed":
        """ValueError when it makes no sense."""
        if self.plan not in PLANS:
            raise ValueError(f"plan must be one of {', '.join(PLANS)}")
        if self.country_code == "IN" and self.state_code not in STATES:
            raise ValueError(f"state_code must be one of {', '.join(STATES)}")
        if self.gst and self.country_code != "IN":
            raise ValueError("GST is of India only")
        if self.time_zone not in available_timezones():
            raise ValueError("time_zone must be one like Asia/Kolkata")
        if self.id and not (self.id.isascii() and self.id.isdecimal()):
            raise ValueError("id must be digits")
        return self


@dataclass(slots=True)
class Organisation:
    """One organisation with its records, taxes and limits; `default` is the user's default one."""

    seed: Seed
    limits: BooksLimits
    prefix: int
    ledger: Ledger
    default: bool = False
    taxes: list[Json] = field(default_factory=list)
    preferences: Preferences = field(default_factory=Preferences)
    webhooks: Webhooks = field(default_factory=Webhooks)

    def __post_init__(self) -> None:
        self.taxes = standard_taxes(self.prefix + 34_000) if self.seed.gst else []
        self.ledger.tables["locations"] = {self.primary_location: self._first_location()}
        open_chart(self.ledger, self.prefix + 20_000)
        open_exemptions(self.ledger, self.prefix + 30_000)

    @property
    def id(self) -> str:
        return self.seed.id

    @property
    def primary_location(self) -> str:
        return str(self.prefix + 12_001)

    def _first_location(self) -> Json:
        address = self.detail()["address"]
        address["postal_code"] = address.pop("zip")
        return locations.primary(self.primary_location, "Head Office", address, self.gstin)

    @property
    def gstin(self) -> str:
        """A made-up registration of the organisation's state."""
        return f"{STATES[self.seed.state_code].number}AAAAA0000A1Z5" if self.seed.gst else ""

    def row(self) -> Json:
        """As the list tells it."""
        seed, indian = self.seed, self.seed.country_code == "IN"
        identity = {
            "organization_id": self.id, "name": seed.name, "contact_name": "Integration User", "email": seed.email,
            "is_default_org": self.default, "is_org_active": True, "user_role": "admin", "user_status": "active",
            "account_created_date": "2026-01-05", "account_created_date_formatted": "05 Jan 2026",
            "plan_name": seed.plan.upper(), "plan_type": list(PLANS).index(seed.plan), "plan_period": "Monthly",
            "org_action": "", "is_logo_uploaded": False, "language_code": "en", "time_zone": seed.time_zone,
        }  # fmt: skip
        money = {
            "currency_id": str(self.prefix + 64), "currency_code": seed.currency_code,
            "currency_symbol": "₹" if indian else seed.currency_code, "currency_format": "##,##,##0.00",
            "price_precision": 2, "date_format": "dd/MM/yyyy", "field_separator": "/",
            "fiscal_year_start_month": "april" if indian else "january",
        }  # fmt: skip
        place = {
            "state": STATES[seed.state_code].name if indian else "", "state_code": seed.state_code if indian else "",
            "country": "India" if indian else seed.country_code, "country_code": seed.country_code,
            "version": "india" if indian else "global",
        }  # fmt: skip
        taxes = {
            "is_gst_india_version": indian, "is_registered_for_gst": seed.gst, "is_hsn_or_sac_enabled": seed.gst,
            "is_sales_inclusive_tax_enabled": True, "sales_tax_type": "item", "tax_group_enabled": True,
        }  # fmt: skip
        return {**identity, **money, **place, **taxes}

    def detail(self) -> Json:
        """As it is told by itself: with its address and registration. `gst_no` stays empty, as it mostly does."""
        row = self.row()
        address = {
            "street_address1": "1 Example Road", "street_address2": "", "city": "", "state": row["state"],
            "state_code": row["state_code"], "country": row["country"], "country_code": row["country_code"],
            "zip": "",
        }  # fmt: skip
        registration = {"is_tax_registered": self.seed.gst, "tax_reg_no": self.gstin, "tax_reg_no_label": "GSTIN"}
        return {**row, "address": address, "tax_settings": registration, "gst_no": "", "industry_type": "",
                "industry_size": "", "phone": "", "fax": "", "website": "https://shop.example.com"}  # fmt: skip


def list_organisations(sim: "Simulator", _call: Call) -> Answer:
    return told(organizations=[organisation.row() for organisation in sim.books.organisations.values()])


def get_organisation(sim: "Simulator", call: Call) -> Answer:
    return told(organization=sim.books.organisation(call.path_params["id"]).detail())


def with_id(seed: Seed, taken: set[str]) -> Seed:
    """The seed with an id, the next free one when it has none; ValueError when its id is taken."""
    if seed.id in taken:
        raise ValueError(f"there is an organisation {seed.id} already")
    free = next(str(number) for number in range(FIRST_ID, FIRST_ID + 10_000) if str(number) not in taken)
    return seed if seed.id else replace(seed, id=free)
