"""Questions about what a write takes, asked with Leads of the probe's own.

https://www.zoho.com/crm/developer/docs/api/v8/insert-records.html, upsert-records.html
"""

from zohosync.probe.ground import Ground
from zohosync.probe.heard import Heard
from zohosync.probe.probe import Finding

LEADS = "Leads"
SEEDLING = "\U0001f331"


def accepted(heard: Heard, *refusals: str) -> bool:
    """Whether the one record was taken; a refusal with another code than these is no answer."""
    if heard.codes == ["SUCCESS"] and heard.ids():
        return True
    if len(heard.codes) == 1 and heard.code in refusals:
        return False
    raise heard.unforeseen()


def actions(heard: Heard) -> list[str]:
    return [str(row.get("action", "")) for row in heard.rows()]


async def upsert_insert_status(ground: Ground) -> Finding:
    """An insert alone, then an insert and an update in one call."""
    known = ground.person(Email=ground.new_email())
    alone = await ground.upsert(LEADS, known)
    mixed = await ground.upsert(LEADS, known, ground.person(Email=ground.new_email()))
    note = f"an insert alone: {alone.status}; with an update: {mixed.status}"
    if actions(mixed) != ["update", "insert"] or alone.status != mixed.status or mixed.status not in (200, 201):
        return Finding(None, note=note)
    return Finding(mixed.status, note=note)


async def mixed_status(ground: Ground) -> Finding:
    heard = await ground.insert(LEADS, ground.person(), {"City": "no name"})
    if len(heard.ids()) != 1 or heard.status not in (200, 207):
        raise heard.unforeseen()
    return Finding(heard.status)


async def report_all_errors(ground: Ground) -> Finding:
    """A Lead with two wrong values."""
    heard = await ground.insert(LEADS, ground.person(Email="no e-mail", No_of_Employees="many"))
    return Finding(accepted_refusal(heard, "MULTIPLE_OR_MULTI_ERRORS", "INVALID_DATA") == "MULTIPLE_OR_MULTI_ERRORS")


def accepted_refusal(heard: Heard, *foreseen: str) -> str:
    """The code the one record was refused with."""
    if len(heard.codes) != 1 or heard.code not in foreseen:
        raise heard.unforeseen()
    return heard.code


async def read_only_fields(ground: Ground) -> Finding:
    heard = await ground.insert(LEADS, ground.person(Modified_Time="2020-01-01T00:00:00+05:30"))
    return Finding("ignore" if accepted(heard, "INVALID_DATA", "NOT_ALLOWED") else "reject")


async def empty_string_clears(ground: Ground) -> Finding:
    lead = await ground.made(LEADS, Phone="+919876543210")
    if not accepted(await ground.update(LEADS, {"id": lead, "Phone": ""}), "INVALID_DATA"):
        return Finding(False)
    left = await ground.value(LEADS, lead, "Phone")
    return Finding(True) if not left else Finding(None, note="it was accepted, and the number stayed")


async def phone_parentheses(ground: Ground) -> Finding:
    heard = await ground.insert(LEADS, ground.person(Phone="(080) 41234567"))
    return Finding(accepted(heard, "INVALID_DATA"))


async def email_ignores_case(ground: Ground) -> Finding:
    email = ground.new_email()
    await ground.upsert(LEADS, ground.person(Email=email))
    heard = await ground.upsert(LEADS, ground.person(Email=email.replace("probe", "PROBE")))
    accepted(heard)
    return Finding(actions(heard) == ["update"])


async def same_key_in_batch(ground: Ground) -> Finding:
    email = ground.new_email()
    heard = await ground.upsert(LEADS, ground.person(Email=email), ground.person(Email=email))
    if heard.codes == ["SUCCESS", "DUPLICATE_DATA"]:
        return Finding("refuse_second")
    if actions(heard) == ["insert", "update"] and len(set(heard.ids())) == 1:
        return Finding("in_order")
    if len(set(heard.ids())) == 2:
        return Finding(None, note="two records were made of one e-mail")
    raise heard.unforeseen()


async def upsert_update_needs_mandatory(ground: Ground) -> Finding:
    email = ground.new_email()
    await ground.upsert(LEADS, ground.person(Email=email))
    return Finding(not accepted(await ground.upsert(LEADS, {"Email": email, "City": "x"}), "MANDATORY_NOT_FOUND"))


async def bad_duplicate_check_field(ground: Ground) -> Finding:
    """Two Leads, so that one refusal for both can be told from one for each."""
    people = [ground.person(Email=ground.new_email()) for _ in range(2)]
    heard = await ground.upsert(LEADS, *people, check=("City",))
    if heard.codes == ["SUCCESS", "SUCCESS"]:
        return Finding("ignore")
    if heard.status < 400 or heard.ids():
        raise heard.unforeseen()
    return Finding("refuse_records" if len(heard.codes) == len(people) else "refuse_request", note=heard.code)


async def unknown_keys(ground: Ground) -> Finding:
    heard = await ground.insert(LEADS, ground.person(Zohosync_Probe_Nothing="x"))
    return Finding("ignore" if accepted(heard, "INVALID_DATA") else "reject")


async def unknown_keys_with_layout(ground: Ground) -> Finding:
    layout = await ground.value(LEADS, await ground.made(LEADS), "Layout")
    if not isinstance(layout, dict) or "id" not in layout:
        return Finding(None, note="a Lead does not tell its layout")
    laid_out = ground.person(Company=ground.mark, Layout={"id": layout["id"]}, Zohosync_Probe_Nothing="x")
    return Finding("ignore" if accepted(await ground.insert(LEADS, laid_out), "INVALID_DATA") else "reject")


async def trim_strings(ground: Ground) -> Finding:
    stored = await ground.value(LEADS, await ground.made(LEADS, City="  Pune  "), "City")
    return Finding({"  Pune  ": False, "Pune": True}.get(str(stored)), note=f"stored as {stored!r}")


async def emoji(ground: Ground) -> Finding:
    heard = await ground.insert(LEADS, ground.person(City=f"Pune {SEEDLING}"))
    if not accepted(heard, "INVALID_DATA"):
        return Finding("reject")
    stored = str(await ground.value(LEADS, heard.ids()[0], "City"))
    position = {f"Pune {SEEDLING}": "store", "Pune ": "strip", "Pune": "strip"}.get(stored)
    return Finding(position, note=f"stored as {stored!r}")


async def owner_by_email(ground: Ground) -> Finding:
    owner = {"email": (await ground.me()).get("email")}
    return Finding(accepted(await ground.insert(LEADS, ground.person(Owner=owner)), "INVALID_DATA"))


async def recycle_bin(ground: Ground) -> Finding:
    """Whether an upsert meets a Lead that was deleted a moment ago."""
    email = ground.new_email()
    await ground.delete(LEADS, await ground.made(LEADS, Email=email))
    heard = await ground.upsert(LEADS, ground.person(Email=email))
    accepted(heard)
    return Finding("not matched" if actions(heard) == ["insert"] else "matched")
