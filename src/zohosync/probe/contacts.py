"""Questions about Contacts and what they are linked to.

https://www.zoho.com/crm/developer/docs/api/v8/upsert-records.html, convert-lead.html
"""

from zohosync.probe.ground import Ground
from zohosync.probe.leads import accepted, accepted_refusal
from zohosync.probe.probe import Finding

CONTACTS = "Contacts"


async def duplicate_choice(ground: Ground) -> Finding:
    """Two Contacts of one e-mail, made one after the other; an upsert updates one of them."""
    email = ground.new_email()
    oldest = await ground.made(CONTACTS, Email=email)
    newest = await ground.made(CONTACTS, Email=email)
    heard = await ground.upsert(CONTACTS, ground.person(Email=email, Title="x"))
    accepted(heard)
    return Finding({oldest: "oldest", newest: "newest"}.get(heard.ids()[0]))


async def lookup_by_name(ground: Ground) -> Finding:
    """A company given as an object with its name, and as plain text."""
    shapes = ({"name": ground.mark}, ground.mark)
    found = [await linked(ground, company) for company in shapes]
    note = "; ".join(f"{kind}: {what}" for kind, what in zip(("as {name}", "as text"), found, strict=True))
    position = {"linked": "find_or_create", "refused": "reject"}.get(found[0]) if found[0] == found[1] else None
    return Finding(position, note=note)


async def linked(ground: Ground, company: object) -> str:
    """What became of a Contact with such a company: linked, ignored or refused."""
    ground.expect("Accounts")
    heard = await ground.insert(CONTACTS, ground.person(Account_Name=company))
    if not accepted(heard, "INVALID_DATA"):
        return "refused"
    return "linked" if await ground.value(CONTACTS, heard.ids()[0], "Account_Name") else "ignored"


async def converted_lead_code(ground: Ground) -> Finding:
    """A Lead without a company, so that its conversion makes a Contact alone."""
    lead = await ground.made("Leads", Email=ground.new_email())
    done = await ground.convert(lead)
    if done.code != "SUCCESS":
        raise done.unforeseen()
    heard = await ground.update("Leads", {"id": lead, "City": "x"})
    return Finding(accepted_refusal(heard, "INVALID_DATA", "ID_ALREADY_CONVERTED"), note=f"HTTP {heard.status}")
