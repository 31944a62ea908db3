"""Zoho Books: the organisation, what it may spend, and whether GST can be reckoned with it."""

from collections.abc import Iterable
from decimal import Decimal

from zohosync.store.checkup.survey import survey_tax
from zohosync.store.tokens import find_connection
from zohosync.sync.doctor.finding import Chart, count, some
from zohosync.sync.doctor.patient import Absent, Patient
from zohosync.sync.doctor.zoho import require_login
from zohosync.zoho import scopes
from zohosync.zoho.books_entities import BooksOrganisation, Tax

# https://www.zoho.com/books/api/v3/introduction/#api-call-limit
DAILY_CALLS = {"free": 1_000, "standard": 2_000, "professional": 5_000}
MOST_DAILY_CALLS = 10_000
FREE_AT_ONCE, PAID_AT_ONCE = 5, 10
INDIA = "Asia/Kolkata"


async def books_organisation(patient: Patient, chart: Chart) -> None:
    """Which organisations the login sees, and which of them this database is tied to."""
    await _require_books(patient)
    found = await patient.require_zoho().books_organisations()
    pinned, names = await _pinned(patient), [f"{one.name} ({one.id})" for one in found]
    if not found:
        chart.remark("The connected user belongs to no organisation of Zoho Books.", "Invite the user in Books.")
    elif pinned is None:
        chart.remark(
            f"No organisation of Zoho Books is chosen; there is {some(names)}.",
            "Run `zohosync connect` and choose one, before invoices are made.",
        )
    elif pinned not in {one.id for one in found}:
        chart.wrong(
            f"This database is tied to organisation {pinned} of Zoho Books, which the login does not see.",
            "Connect with a user of that organisation.",
            pinned=pinned,
        )
    else:
        chosen = next(one for one in found if one.id == pinned)
        more = f"; the login sees {count(len(found), 'organisation')}" if len(found) > 1 else ""
        chart.ok(f"The books are those of {chosen.name} ({chosen.id}){more}.", pinned=pinned)


async def books_plan(patient: Patient, chart: Chart) -> None:
    """What the plan allows against what the settings say."""
    chosen, settings = await require_chosen(patient), patient.settings
    if not chosen.plan:
        chart.remark("Zoho Books does not say which plan the organisation has.", "See its daily API limit in Books.")
        return
    calls = DAILY_CALLS.get(chosen.plan.lower(), MOST_DAILY_CALLS)
    at_once = FREE_AT_ONCE if chosen.plan.lower() == "free" else PAID_AT_ONCE
    figures = {"plan": chosen.plan, "calls": calls, "at_once": at_once}
    for setting, value, allowed, what in (
        ("ZOHOSYNC_BOOKS_DAILY_CALLS", settings.books_daily_calls, calls, "API calls a day"),
        ("ZOHOSYNC_BOOKS_IN_FLIGHT", settings.books_in_flight, at_once, "calls at once"),
    ):
        if value > allowed:
            chart.wrong(
                f"Plan {chosen.plan} of Zoho Books has {allowed:,} {what}, but {setting} is {value:,}: Zoho will refuse"
                " calls before we slow down.",
                f"Set it to {allowed}, or less if other programs use this organisation, too.",
                **figures,
            )
    if not chart.findings:
        chart.ok(
            f"Plan {chosen.plan} of Zoho Books has {calls:,} API calls a day and {at_once} at once; the settings stay"
            " within.",
            **figures,
        )


async def books_profile(patient: Patient, chart: Chart) -> None:
    """What invoices under Indian law need of the organisation."""
    chosen = await require_chosen(patient)
    if not chosen.gst_registered:
        chart.wrong(
            "GST is switched off in Zoho Books, so no invoice can carry tax.",
            "In Books: Settings, Taxes, GST Settings: enter the GSTIN.",
        )
    if chosen.currency != "INR":
        chart.wrong(
            f"The books are kept in {chosen.currency or 'no currency'}; orders in rupees do not fit.",
            "Choose an organisation whose base currency is INR.",
            currency=chosen.currency,
        )
    if chosen.time_zone != INDIA:
        chart.remark(
            f"The time zone of the books is {chosen.time_zone or 'not told'}; invoice dates follow it.",
            f"Set it to {INDIA} if the shop trades in India.",
            time_zone=chosen.time_zone,
        )
    if not chart.findings:
        chart.ok("Zoho Books has GST switched on, INR as its currency and India's time zone.")


async def books_taxes(patient: Patient, chart: Chart) -> None:
    """For every rate of the goods, one tax within the state and one between states."""
    await require_chosen(patient)
    taxes, goods = await patient.require_zoho().taxes(), await survey_tax(patient.database)
    if not goods.rates:
        chart.not_checked("No goods have a GST rate yet, so the tax list cannot be compared with them.")
        return
    lacking = find_lacking(taxes, goods.rates)
    if lacking:
        chart.wrong(
            f"Zoho Books lacks taxes for rates of the shop's goods: {some(lacking)}.",
            "In Books: Settings, Taxes: add the group (CGST + SGST) and the IGST of that rate.",
            lacking=lacking,
        )
    else:
        chart.ok(
            f"Zoho Books has taxes for every rate of the goods ({some([f'{rate:f} %' for rate in goods.rates])}),"
            " within a state and between states."
        )


def find_lacking(taxes: Iterable[Tax], rates: Iterable[Decimal]) -> list[str]:
    """As ``5 % within a state``. Names are free text, so only kind and percentage count."""
    listed = list(taxes)
    within = {tax.percentage for tax in listed if _within_state(tax)}
    between = {tax.percentage for tax in listed if _between_states(tax)}
    sides = (("within a state", within), ("between states", between))
    return [f"{rate:f} % {side}" for rate in rates for side, present in sides if rate not in present]


def _within_state(tax: Tax) -> bool:
    return tax.type == "tax_group" and tax.specification != "inter"


def _between_states(tax: Tax) -> bool:
    return tax.type == "tax" and (tax.specification == "inter" or tax.specific_type == "igst")


async def _require_books(patient: Patient) -> None:
    row = await require_login(patient)
    if row.scopes and scopes.missing(row.scopes, (scopes.BOOKS_SETTINGS_READ,)):
        raise Absent("The login has no permission to read Zoho Books.")


async def _pinned(patient: Patient) -> str | None:
    row = await find_connection(patient.database)
    return None if row is None else row.books_organisation_id


async def require_chosen(patient: Patient) -> BooksOrganisation:
    """The organisation this database is tied to; Absent when it cannot be had."""
    await _require_books(patient)
    pinned = await _pinned(patient)
    for one in await patient.require_zoho().books_organisations():
        if one.id == pinned:
            return one
    raise Absent("No organisation of Zoho Books is chosen.")
