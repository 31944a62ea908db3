"""Every kind of work there is: who feeds it, its lane, its batch, its handler."""

from functools import partial

from zohosync.queue.operation import Lane, Stream
from zohosync.sync.contact_foresight import foresee_contacts
from zohosync.sync.contacts import push_contacts
from zohosync.sync.desk import CrmDesk
from zohosync.sync.lead_foresight import foresee_leads
from zohosync.sync.leads import push_leads


def build_streams(desk: CrmDesk) -> tuple[Stream, ...]:
    """The table. A kind is a stable string: it stands in the database and in people's filters."""
    return (
        Stream(
            "crm.contact.push",
            Lane.PEOPLE,
            ("customer",),
            partial(push_contacts, desk),
            batch_size=100,
            foresee=partial(foresee_contacts, desk),
        ),
        Stream(
            "crm.lead.push",
            Lane.PEOPLE,
            ("inquiry", "quote"),
            partial(push_leads, desk),
            batch_size=100,
            foresee=partial(foresee_leads, desk),
        ),
    )
