"""The taxes of an Indian organisation with GST: what Books makes when GST is switched on.

A group (GST18) holds two components of half its rate (CGST9, SGST9) and is for supplies within the state; IGST18 is
for supplies between states. https://www.zoho.com/books/api/v3/taxes/
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from zohosim.answers import Answer, Json
from zohosim.books import records
from zohosim.books.answers import BooksRefused, listed, said, told
from zohosim.books.fields import Field, amount, blanks, body_of, one_of, read, require, text
from zohosim.calls import Call

if TYPE_CHECKING:
    from zohosim.books.organisations import Organisation
    from zohosim.simulator import Simulator

RATES = (0, 5, 12, 18, 28, 40)
"""40 came with the reform of September 2025; 12 and 28 stay for older documents."""


def standard_taxes(prefix: int) -> list[Json]:
    """Components, groups and IGST of every rate; ids are `prefix` plus the place in the list."""
    taxes: list[Json] = [
        {"tax_id": str(prefix + 3 * number), **values, **COMMON} for number, values in enumerate(_standard(), start=1)
    ]
    for place, tax in enumerate(taxes):
        if tax["tax_type"] == "tax_group":
            tax["_members"] = [part["tax_id"] for part in taxes[place - 2 : place]]
    return taxes


COMMON: Json = {
    "tax_authority_id": "", "tax_authority_name": "", "tax_account_id": "", "purchase_tax_account_id": "",
    "output_tax_account_name": "", "purchase_tax_account_name": "", "is_value_added": True, "is_default_tax": False,
    "is_editable": True, "country_code": "", "status": "Active",
}  # fmt: skip


def _standard() -> Iterator[Json]:
    for rate in RATES:
        half = rate / 2
        for kind in ("cgst", "sgst"):
            yield _tax(f"{kind.upper()}{half:g}", half, "tax", "intra", kind)
        yield _tax(f"GST{rate}", rate, "tax_group", "intra", "")
        yield _tax(f"IGST{rate}", rate, "tax", "inter", "igst")


def _tax(name: str, rate: float | Decimal, kind: str, specification: str, specific: str) -> Json:
    return {
        "tax_name": name, "tax_percentage": int(rate) if rate == int(rate) else rate, "tax_type": kind,
        "tax_specification": specification, "tax_specific_type": specific,
    }  # fmt: skip


def list_taxes(sim: "Simulator", call: Call) -> Answer:
    """Groups stand among the taxes."""
    taxes = [records.shown(tax) for tax in sim.books.organisation_of(call).taxes]
    return listed(call, "taxes", taxes, "Taxes", "tax_name")


def find(sim: "Simulator", organisation: "Organisation", tax_id: str, *, group: bool = False) -> Json:
    """A tax or a group; the refusal for one that is not there."""
    for tax in organisation.taxes:
        if tax["tax_id"] == tax_id and (tax["tax_type"] == "tax_group" or not group):
            return tax
    raise records.no_such(sim, "Tax group" if group else "Tax")


def get_tax(sim: "Simulator", call: Call) -> Answer:
    organisation = sim.books.organisation_of(call)
    return told(tax=records.shown(find(sim, organisation, call.path_params["id"])))


FIELDS = (
    Field("tax_name", text(100)),
    Field("tax_percentage", amount),
    Field("tax_type", one_of("tax", "compound_tax"), blank="tax"),
    Field("tax_specific_type", one_of("igst", "cgst", "sgst", "nil", "cess")),
)


def create_tax(sim: "Simulator", call: Call) -> Answer:
    """A single tax. Before GST is switched on, which only the web face can do, there are none."""
    organisation, body = sim.books.organisation_of(call), body_of(call)
    check_enabled(organisation)
    require(body, "tax_name", "tax_percentage")
    given = {**blanks(FIELDS), **read(body, FIELDS)}
    side = {"igst": "inter", "cgst": "intra", "sgst": "intra"}.get(given["tax_specific_type"], "")
    tax = {"tax_id": organisation.ledger.new_id(), **COMMON, **given, "tax_specification": side}
    organisation.taxes.append(tax)
    return said("The tax has been added.", 201, tax=tax)


def update_tax(sim: "Simulator", call: Call) -> Answer:
    organisation = sim.books.organisation_of(call)
    tax = find(sim, organisation, call.path_params["id"])
    tax.update(read(body_of(call), FIELDS))
    return said("Tax information has been saved.", tax=records.shown(tax))


def delete_tax(sim: "Simulator", call: Call) -> Answer:
    organisation = sim.books.organisation_of(call)
    organisation.taxes.remove(find(sim, organisation, call.path_params["id"]))
    return said("The record has been deleted.")


def check_enabled(organisation: "Organisation") -> None:
    if not organisation.seed.gst:
        raise BooksRefused(400, 110817, "You have to enable Sales Tax before you create taxes.")


# Groups


def members(organisation: "Organisation", group: Json) -> list[Json]:
    """The taxes a group was made of."""
    return [tax for tax in organisation.taxes if tax["tax_id"] in group["_members"]]


def get_group(sim: "Simulator", call: Call) -> Answer:
    organisation = sim.books.organisation_of(call)
    group = find(sim, organisation, call.path_params["id"], group=True)
    return told(tax_group=shown_group(organisation, group))


def shown_group(organisation: "Organisation", group: Json) -> Json:
    keys = ("tax_id", "tax_name", "tax_percentage", "tax_type", "tax_authority_id", "tax_authority_name")
    return {
        "tax_group_id": group["tax_id"], "tax_group_name": group["tax_name"],
        "tax_group_percentage": group["tax_percentage"],
        "taxes": [{key: tax[key] for key in keys} for tax in members(organisation, group)],
    }  # fmt: skip


def create_group(sim: "Simulator", call: Call) -> Answer:
    """`taxes` is a text of ids with commas between them."""
    organisation, body = sim.books.organisation_of(call), body_of(call)
    check_enabled(organisation)
    require(body, "tax_group_name", "taxes")
    parts = [find(sim, organisation, part.strip()) for part in str(body["taxes"]).split(",")]
    name = text(100)("tax_group_name", body["tax_group_name"])
    rate = sum(Decimal(str(part["tax_percentage"])) for part in parts)
    group = {
        "tax_id": organisation.ledger.new_id(), **COMMON, **_tax(name, rate, "tax_group", "intra", ""),
        "_members": [part["tax_id"] for part in parts],
    }  # fmt: skip
    organisation.taxes.append(group)
    return said("success", 201, tax_group=shown_group(organisation, group))
