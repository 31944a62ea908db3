"""Questions about custom fields.

https://www.zoho.com/crm/developer/docs/api/v8/create-custom-field.html
"""

from zohosync.probe.ground import Ground
from zohosync.probe.probe import Finding

LABEL_REFUSALS = frozenset({"NOT_ALLOWED", "INVALID_DATA", "DEPENDENT_MISMATCH", "AMBIGUITY_DURING_PROCESSING"})


async def unique_and_external(ground: Ground) -> Finding:
    """One field that is to be both; it is deleted again."""
    heard = await ground.make_field(
        "Leads",
        data_type="text",
        length=20,
        unique={"case_sensitive": False},
        external={"type": "org", "show": True},
    )
    if heard.ids("fields"):
        return Finding(True)
    if heard.code not in LABEL_REFUSALS:
        raise heard.unforeseen()
    return Finding(False, note=heard.code)
