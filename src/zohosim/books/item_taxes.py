"""What an item says of tax: one tax for sales within the state and one for sales between states, or why there is none.

https://www.zoho.com/books/api/v3/items/#create-an-item
"""

from zohosim.answers import Json
from zohosim.books.fields import entity_id, invalid, missing, one_of, rows
from zohosim.books.organisations import Organisation
from zohosim.books.records import Row
from zohosim.books.resources import Visit

SIDES = ("intra", "inter")
STATE_KEYS = {"intra_state_tax_id": "intra", "inter_state_tax_id": "inter"}


def fill(seen: Visit, row: Row, body: Json) -> None:
    """The preferences a body gives, checked; an empty array takes them all away."""
    if "item_tax_preferences" in body:
        given = rows("item_tax_preferences", body["item_tax_preferences"] or [])
        row["item_tax_preferences"] = [preference(seen.organisation, one) for one in given]
    if seen.sim.switches["books_state_tax_ids"]:
        for key, side in STATE_KEYS.items():
            if body.get(key):
                kept = [one for one in row["item_tax_preferences"] if one["tax_specification"] != side]
                asked = {"tax_id": body[key], "tax_specification": side}
                row["item_tax_preferences"] = [*kept, preference(seen.organisation, asked)]
    if "tax_id" in body and not is_indian(seen):
        fill_single(seen, row, body["tax_id"])
    if is_indian(seen) and seen.gst and row["is_taxable"] is False and not row["tax_exemption_id"]:
        raise missing("tax_exemption_id")
    fill_exemption(seen, row)


def is_indian(seen: Visit) -> bool:
    """India has two taxes for an item, and no single one."""
    return seen.organisation.seed.country_code == "IN"


def preference(organisation: Organisation, given: Json) -> Json:
    """One element, as items show it."""
    tax = find_tax(organisation, entity_id("tax_id", given.get("tax_id", "")))
    side = one_of(*SIDES)("tax_specification", given.get("tax_specification"))
    if tax["tax_specification"] not in (side, ""):
        raise invalid("tax_specification")
    group = tax["tax_type"] == "tax_group"
    return {
        "tax_specification": side, "tax_specific_type": "tax" if group else tax["tax_specific_type"],
        "tax_type": 2 if group else 0, "tax_name": tax["tax_name"], "tax_percentage": tax["tax_percentage"],
        "tax_id": tax["tax_id"], "new_tax_type": "tax_group" if group else "tax",
    }  # fmt: skip


def find_tax(organisation: Organisation, tax_id: str) -> Json:
    found = next((tax for tax in organisation.taxes if tax["tax_id"] == tax_id), None)
    if found is None:
        raise invalid("tax_id")
    return found


def fill_single(seen: Visit, row: Row, given: object) -> None:
    tax = find_tax(seen.organisation, str(given)) if given else {}
    row.update({key: tax.get(key, "") for key in ("tax_id", "tax_name", "tax_percentage")})


def fill_exemption(seen: Visit, row: Row) -> None:
    """The code beside the id; a taxable item has neither."""
    if row["is_taxable"]:
        row.update(tax_exemption_id="", tax_exemption_code="")
    elif row["tax_exemption_id"]:
        found = seen.ledger.find("taxexemptions", row["tax_exemption_id"])
        if found is None or found["type"] != "item":
            raise invalid("tax_exemption_id")
        row["tax_exemption_code"] = found["tax_exemption_code"]
