"""Zoho CRM: the login, whose it is, what it may spend, and whether the fields are as we need them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from zohosync.errors import ZohoFailure
from zohosync.store.budget import Usage
from zohosync.store.checkup import snapshot
from zohosync.store.checkup.snapshot import SeenField
from zohosync.store.tokens import StoredConnection, find_connection
from zohosync.sync.accounts import KEY_FIELD as ACCOUNT_KEY
from zohosync.sync.contact_drafts import KEY_FIELD as CONTACT_KEY
from zohosync.sync.doctor.finding import Chart, age, some
from zohosync.sync.doctor.patient import Absent, Patient
from zohosync.sync.wanted_fields import WANTED_FIELDS, find_missing
from zohosync.zoho import scopes
from zohosync.zoho.entities import Organisation
from zohosync.zoho.fields import FieldCatalogue

RECONNECT = "Run `zohosync connect`, and grant what it asks for."


@dataclass(frozen=True, slots=True)
class Edition:
    """Credits in 24 hours are ``base + per_user`` times users; ``at_once`` is how many calls may run.

    https://www.zoho.com/crm/developer/docs/api/v8/api-limits.html
    """

    base: int
    per_user: int
    at_once: int


EDITIONS = {
    "free": Edition(5_000, 0, 5),
    "standard": Edition(50_000, 250, 10),
    "starter": Edition(50_000, 250, 10),
    "professional": Edition(50_000, 500, 15),
    "enterprise": Edition(50_000, 1_000, 20),
    "zohoone": Edition(50_000, 1_000, 20),
    "ultimate": Edition(50_000, 2_000, 25),
    "crmplus": Edition(50_000, 2_000, 25),
}

# What we send into each module: always, and when the shop has it. A test holds this to the translate functions.
ALWAYS_SENT = {
    "Contacts": {"First_Name", "Last_Name", "Email", CONTACT_KEY},
    "Leads": {"Last_Name", "Email", "Company"},
    "Accounts": {"Account_Name", ACCOUNT_KEY},
}
SOMETIMES_SENT = {
    "Contacts": {"Phone", "GSTIN", "Account_Name"},
    "Leads": {"First_Name", "Phone", "GSTIN"},
    "Accounts": {"GSTIN"},
}
NEARLY_SPENT, MOSTLY_SPENT = 0.95, 0.75


async def require_login(patient: Patient) -> StoredConnection:
    """The stored login; Absent when there is none that can work."""
    row = await find_connection(patient.database)
    if row is None or row.state == "disconnected":
        raise Absent("Zoho is not connected.")
    if row.state != "connected":
        raise Absent("The login to Zoho is not valid any more.")
    return row


async def zoho_login(patient: Patient, chart: Chart) -> None:
    """The one check that speaks of the login itself; the others only say that they could not be made."""
    row = await find_connection(patient.database)
    if row is None or row.state == "disconnected":
        say = chart.wrong if patient.installation.capturing else chart.remark
        say("Zoho is not connected.", "Run `zohosync connect`.", state="not_connected")
        return
    since = f"connected {row.connected_at:%Y-%m-%d %H:%M %Z}"
    if row.state != "connected":
        chart.wrong(
            f"Zoho does not accept our login any more: {row.error_message or 'no reason was kept'} ({since}).",
            "Run `zohosync connect`; everything that waits then continues by itself.",
            state=row.state,
            code=row.error_code,
        )
        return
    try:
        access = await patient.require_zoho().access()
        await patient.require_zoho().organisation()
    except Absent:
        raise
    except ZohoFailure as error:
        chart.wrong(f"Zoho cannot be used: {error.message}", error.hint, state=row.state, code=error.reason)
        return
    left = (access.expires_at - patient.clock.now()).total_seconds()
    chart.ok(f"Zoho answers; {since}, the access token is good for {age(left)}.", state=row.state)


async def zoho_organisation(patient: Patient, chart: Chart) -> None:
    await require_login(patient)
    found, pinned = await patient.require_zoho().organisation(), patient.installation.organisation_id
    if pinned is None:
        chart.wrong("This database is tied to no organisation of Zoho.", "Run `zohosync connect`.", found=found.id)
    elif found.id != pinned:
        chart.wrong(
            f"The login belongs to organisation {found.id}, but this database is tied to {pinned}.",
            "Connect with a user of that organisation, or use a separate database.",
            found=found.id,
            pinned=pinned,
        )
    elif not found.production:
        chart.remark(
            f"The CRM is {found.name} ({found.id}), a sandbox or developer organisation.",
            "Connect the organisation people work in, before you go live.",
            found=found.id,
        )
    else:
        chart.ok(f"The CRM is {found.name} ({found.id}), to which this database is tied.", found=found.id)


async def data_centre(patient: Patient, chart: Chart) -> None:
    row = await require_login(patient)
    asked = "sim" if patient.settings.zoho == "sim" else patient.settings.data_centre
    if row.data_centre == asked:
        where = "a local zohosim, not Zoho" if asked == "sim" else f"data centre {asked}"
        chart.ok(f"The login is one of {where}.", data_centre=row.data_centre)
    else:
        chart.remark(
            f"The login is one of data centre {row.data_centre}, but ZOHOSYNC_DATA_CENTRE is {asked}; the login's own"
            " is used.",
            f"Set ZOHOSYNC_DATA_CENTRE={row.data_centre}, so that connecting again goes to the right place.",
            data_centre=row.data_centre,
            setting=asked,
        )


async def crm_plan(patient: Patient, chart: Chart) -> None:
    """What the edition allows against what the settings say."""
    await require_login(patient)
    found, settings = await patient.require_zoho().organisation(), patient.settings
    edition = EDITIONS.get(found.edition.lower().replace(" ", "").replace("_", ""))
    if edition is None:
        chart.remark(
            f"Zoho calls the edition {found.edition or 'nothing'}, which is not in our table of limits.",
            "Compare ZOHOSYNC_CRM_DAILY_CREDITS and ZOHOSYNC_CRM_IN_FLIGHT with Zoho's API limits by hand.",
            edition=found.edition,
        )
        return
    allowed = edition.base + edition.per_user * licences(found)
    figures = {"edition": found.edition, "credits": allowed, "at_once": edition.at_once}
    if settings.crm_daily_credits > allowed:
        chart.wrong(
            f"Edition {found.edition} has {allowed:,} API credits a day, but ZOHOSYNC_CRM_DAILY_CREDITS is"
            f" {settings.crm_daily_credits:,}: Zoho will refuse calls before we slow down.",
            f"Set it to {allowed}, or less if other programs use this organisation, too.",
            **figures,
        )
    if settings.crm_in_flight > edition.at_once:
        chart.wrong(
            f"Edition {found.edition} allows {edition.at_once} calls at once, but ZOHOSYNC_CRM_IN_FLIGHT is"
            f" {settings.crm_in_flight}.",
            f"Set it to {edition.at_once} or less.",
            **figures,
        )
    if not chart.findings:
        chart.ok(
            f"Edition {found.edition}: {allowed:,} API credits a day and {edition.at_once} calls at once; the settings"
            f" stay within ({settings.crm_daily_credits:,} and {settings.crm_in_flight}).",
            **figures,
        )


def licences(organisation: Organisation) -> int:
    """Users the organisation has bought."""
    licence: Any = organisation.fields.get("license_details")
    bought = licence.get("users_license_purchased") if isinstance(licence, dict) else None
    return bought if isinstance(bought, int) else 0


SPANS = {"crm": "in the last 24 hours", "books": "since midnight in India"}
"""Since when each product counts."""


async def api_budget(patient: Patient, chart: Chart) -> None:
    """What was spent, of CRM and of Books where it is connected."""
    row = await find_connection(patient.database)
    payers = (
        ("crm", "CRM", patient.installation.organisation_id),
        ("books", "Books", row and row.books_organisation_id),
    )
    budget = patient.require_zoho().budget
    for product, name, organisation in payers:
        if organisation:
            _judge_usage(chart, name, SPANS[product], await budget.find_usage(organisation, product))
    if not chart.findings:
        raise Absent("No organisation of Zoho is known yet.")


def _judge_usage(chart: Chart, product: str, span: str, usage: Usage) -> None:
    told = f"{usage.spent:,} of {usage.limit:,} API calls or credits of {product} were used {span}"
    figures = {"product": product, "spent": usage.spent, "limit": usage.limit}
    if usage.spent >= NEARLY_SPENT * usage.limit:
        chart.wrong(f"{told}; work will wait.", "Buy more, or find the program that spends them.", **figures)
    elif usage.spent >= MOSTLY_SPENT * usage.limit:
        chart.remark(f"{told}.", "See in the console's log what uses them.", **figures)
    elif usage.paused_until is not None:
        chart.remark(f"{told}; Zoho asked for a pause until {usage.paused_until:%H:%M:%S %Z}.", "", **figures)
    else:
        chart.ok(f"{told}.", **figures)


async def permissions(patient: Patient, chart: Chart) -> None:
    row = await require_login(patient)
    if not row.scopes:
        chart.not_checked("Zoho did not say which permissions the login has.")
        return
    lacking, optional = scopes.missing(row.scopes), scopes.missing(row.scopes, scopes.OPTIONAL)
    books = scopes.missing(row.scopes, scopes.BOOKS_REQUIRED)
    if lacking:
        chart.wrong(f"The login lacks the permissions {some(lacking)}.", RECONNECT, missing=list(lacking))
    if optional or books:
        chart.remark(
            f"The login lacks {some(optional + books)}; CRM works without.", RECONNECT, missing=list(optional + books)
        )
    if not chart.findings:
        chart.ok("The login has every permission that is needed.")


async def custom_fields(patient: Patient, chart: Chart) -> None:
    """The fields we want: there, long enough, and unique where they keep second copies away."""
    await require_login(patient)
    catalogues = await patient.require_zoho().catalogues()
    absent = find_missing(catalogues)
    for wanted in absent:
        chart.remark(
            f"{wanted.module} has no field {wanted.label}. It is for {wanted.purpose}.",
            f"Run `zohosync connect` and let it make the fields, or add a single line field of {wanted.length}"
            f" characters named {wanted.label} in Zoho" + (", without duplicates." if wanted.unique else "."),
            module=wanted.module,
            field=wanted.api_name,
        )
    for wanted in WANTED_FIELDS:
        found = catalogues[wanted.module].find(wanted.api_name)
        if found is None:
            continue
        if found.length is not None and found.length < wanted.length:
            chart.wrong(
                f"{wanted.module}: {wanted.label} takes {found.length} characters, but {wanted.length} are needed.",
                f"Make it {wanted.length} characters long in Zoho.",
                module=wanted.module,
                field=wanted.api_name,
            )
        if wanted.unique and not found.unique:
            chart.wrong(
                f"{wanted.module}: {wanted.label} allows duplicates. It is for {wanted.purpose}.",
                "In Zoho's field properties, tick that duplicate values are not allowed.",
                module=wanted.module,
                field=wanted.api_name,
            )
    if not chart.findings:
        chart.ok(f"All {len(WANTED_FIELDS)} custom fields are there, long enough, and unique where they must be.")


async def field_drift(patient: Patient, chart: Chart) -> None:
    """What somebody changed in Zoho's fields since doctor looked last, and what Zoho insists on that we do not send."""
    await require_login(patient)
    catalogues = await patient.require_zoho().catalogues()
    organisation = patient.installation.organisation_id
    for module, catalogue in catalogues.items():
        judge_mandatory(chart, module, catalogue)
    if organisation is None:
        return
    before = await snapshot.read_snapshot(patient.database, organisation)
    now = [seen for module, catalogue in catalogues.items() for seen in seen_fields(module, catalogue)]
    if before.seen_at is None:
        chart.ok(f"{len(now)} fields of {some(list(catalogues))} are remembered, to be compared next time.")
    else:
        since = f"{before.seen_at:%Y-%m-%d %H:%M %Z}"
        for sentence in compare(before.fields, now):
            chart.remark(
                f"Since {since}, {sentence}.", "Ask who changed it; the log shows what Zoho refuses from now on."
            )
        if not chart.findings:
            chart.ok(f"No field we use has changed for the worse since {since}.")
    await snapshot.save_snapshot(patient.database, organisation, now)


def judge_mandatory(chart: Chart, module: str, catalogue: FieldCatalogue) -> None:
    for name in catalogue.mandatory():
        if name in ALWAYS_SENT[module]:
            continue
        meta = catalogue.find(name)
        label = meta.label if meta else name
        if name in SOMETIMES_SENT[module]:
            chart.remark(
                f"{module}: {label} is mandatory, so records of people who did not give it will fail.",
                f"Make {label} optional in Zoho, or mandatory in the shop.",
                module=module,
                field=name,
            )
        else:
            chart.wrong(
                f"{module}: {label} is mandatory, and zohosync never sends it: every new record will fail.",
                f"Make {label} optional in Zoho.",
                module=module,
                field=name,
            )


def seen_fields(module: str, catalogue: FieldCatalogue) -> list[SeenField]:
    """The fields we use, and those Zoho insists on."""
    names = ALWAYS_SENT[module] | SOMETIMES_SENT[module] | set(catalogue.mandatory())
    found = [meta for name in sorted(names) if (meta := catalogue.find(name)) is not None]
    return [
        SeenField(module, meta.api_name, meta.label, meta.data_type, meta.length, meta.mandatory, meta.unique)
        for meta in found
    ]


def compare(before: Iterable[SeenField], now: Iterable[SeenField]) -> list[str]:
    """Changes for the worse, each as the end of a sentence."""
    present = {(seen.module, seen.api_name): seen for seen in now}
    known = {(seen.module, seen.api_name): seen for seen in before}
    changes = [change for key, old in known.items() for change in _changes(old, present.get(key))]
    changes += [
        f"{new.module}: {new.label} became mandatory"
        for key, new in present.items()
        if new.mandatory and not (key in known and known[key].mandatory)
    ]
    return changes


def _changes(old: SeenField, new: SeenField | None) -> list[str]:
    name = f"{old.module}: {old.label}"
    if new is None:
        used = old.api_name in ALWAYS_SENT[old.module] | SOMETIMES_SENT[old.module]
        return [f"{name} vanished"] if used else []
    changes = []
    if old.data_type != new.data_type:
        changes.append(f"{name} changed from {old.data_type} to {new.data_type}")
    if new.length is not None and (old.length is None or new.length < old.length):
        changes.append(f"{name} got shorter ({old.length or 'no limit'} to {new.length} characters)")
    if old.is_unique and not new.is_unique:
        changes.append(f"{name} allows duplicates now")
    return changes
