"""Place of supply, treatment of the buyer, and so whether IGST or CGST with SGST is due.

Integrated Goods and Services Tax Act, sections 7, 8, 10 and 16; Circular 209/3/2024.
"""

from dataclasses import dataclass
from typing import Literal

from zohosync.gst.countries import tell_country
from zohosync.gst.gstin import Verdict, Worth, judge_gstin
from zohosync.gst.sale import Problem, Rules, Sale, StateSource, SupplyType
from zohosync.gst.state_table import BY_CODE
from zohosync.gst.states import Resolved, name_of, resolve_state
from zohosync.gst.wording import shortened

ABROAD = "96"
"""Digits of a place of supply outside India."""


@dataclass(frozen=True, slots=True)
class Supply:
    """What follows from who buys and where it goes. ``place`` is empty outside India; ``zero_rated``: an export or a
    supply to SEZ, whether with or without tax."""

    place: str
    digits: str
    source: StateSource
    type: SupplyType
    treatment: str
    gstin: str | None
    second_leg: Literal["SGST", "UTGST", ""]
    zero_rated: bool


def decide_supply(sale: Sale, rules: Rules) -> Supply | tuple[Problem, ...]:
    """The supply, or every reason why it cannot be told."""
    verdict = judge_gstin(sale.buyer.gstin)
    whereabouts = tell_country(sale.ship_to.country)
    abroad = whereabouts == "abroad" and not sale.counter
    problems = _buyer_problems(sale, rules, verdict, abroad)
    if rules.seller_state not in BY_CODE:
        problems.append(_seller_unknown(rules.seller_state))
    if abroad:
        return tuple(problems) or _export()
    place = _place(sale, rules, verdict)
    if isinstance(place, Problem):
        problems.append(place)
        return tuple(problems)
    return tuple(problems) or _domestic(sale, rules, verdict, place)


def _export() -> Supply:
    return Supply("", ABROAD, "code", SupplyType.INTER, "overseas", None, "", zero_rated=True)


def _domestic(sale: Sale, rules: Rules, verdict: Verdict, place: Resolved) -> Supply:
    sez = sale.buyer.special == "sez"
    intra = place.code == rules.seller_state and not sez
    state = BY_CODE[place.code]
    return Supply(
        place.code,
        state.digits,
        place.source,
        SupplyType.INTRA if intra else SupplyType.INTER,
        _treatment(sale, verdict),
        verdict.number if verdict.worth is Worth.VALID else None,
        state.second_leg if intra else "",
        zero_rated=sez,
    )


def _treatment(sale: Sale, verdict: Verdict) -> str:
    """Books' word. https://www.zoho.com/books/api/v3/contacts/ documents four; business_sez is of its importer."""
    if sale.buyer.special == "sez":
        return "business_sez"
    if verdict.worth is Worth.VALID:
        return "business_gst"
    return "business_none" if sale.buyer.is_business or sale.buyer.is_b2b else "consumer"


def _place(sale: Sale, rules: Rules, verdict: Verdict) -> Resolved | Problem:
    """Of a registered buyer where the goods go, or its own state when somebody else gets them for it; of others the
    delivery address. What is handed over at the counter to a registered buyer, or to somebody without an address, is
    supplied there."""
    registered = verdict.worth is Worth.VALID
    if sale.counter and (registered or not _has_address(sale)):
        return Resolved(rules.seller_state, "seller")
    delivered = resolve_state(
        sale.ship_to.state, sale.ship_to.postal_code, sale.ship_to.country, by_person=sale.ship_to.by_person
    )
    if not registered or isinstance(delivered, Problem) or delivered.code == verdict.state:
        return delivered
    if sale.third_party is None:
        return _two_states(verdict, delivered)
    return Resolved(verdict.state or "", "gstin") if sale.third_party else delivered


def _has_address(sale: Sale) -> bool:
    return bool((sale.ship_to.state or "").strip() or (sale.ship_to.postal_code or "").strip())


def _buyer_problems(sale: Sale, rules: Rules, verdict: Verdict, abroad: bool) -> list[Problem]:
    buyer = sale.buyer
    problems = [verdict.problem] if verdict.problem else []
    if verdict.worth is Worth.NONE and _must_be_registered(sale, rules, abroad):
        problems.append(_without_gstin(sale))
    if abroad and verdict.worth is Worth.VALID:
        problems.append(_registered_abroad(verdict))
    if buyer.special == "overseas" and not abroad:
        problems.append(_overseas_at_home())
    if (abroad or buyer.special == "sez") and rules.lut is None:
        problems.append(_lut_unset())
    return problems


def _must_be_registered(sale: Sale, rules: Rules, abroad: bool) -> bool:
    if sale.buyer.special == "sez":
        return True
    return sale.buyer.is_b2b and not abroad and rules.b2b_without_gstin == "hold"


def _without_gstin(sale: Sale) -> Problem:
    who = "a unit in a special economic zone" if sale.buyer.special == "sez" else "a B2B client"
    return Problem(
        "b2b_without_gstin",
        "",
        f"The buyer is {who} and has no GSTIN.",
        "Add the GSTIN in the shop or by an override, or set the policy b2b_without_gstin to unregistered.",
    )


def _two_states(verdict: Verdict, delivered: Resolved) -> Problem:
    own, there = name_of(verdict.state or ""), name_of(delivered.code)
    return Problem(
        "gstin_state_differs_from_ship_to",
        "",
        f"GSTIN {verdict.number} is of {own}, but the goods go to {there}.",
        "Say by the override third_party whether somebody else receives them (yes) or the buyer itself (no).",
    )


def _registered_abroad(verdict: Verdict) -> Problem:
    return Problem(
        "gstin_state_differs_from_ship_to",
        "",
        f"GSTIN {verdict.number} is of {name_of(verdict.state or '')}, but the goods go abroad.",
        "Correct the country or the GSTIN in the shop or by an override, or make the document by hand and link it.",
    )


def _overseas_at_home() -> Problem:
    return Problem(
        "overseas_within_india",
        "",
        "The buyer is overseas, but the goods are delivered within India.",
        "Correct the country of the delivery address, or make the document by hand in Zoho Books and link it.",
    )


def _lut_unset() -> Problem:
    return Problem(
        "sez_or_export_without_lut_setting",
        "",
        "This is an export or a supply to a special economic zone, and nobody said whether it goes under a LUT.",
        "Set the policy lut to yes (no tax) or no (with IGST).",
    )


def _seller_unknown(code: str) -> Problem:
    return Problem(
        "seller_state_unknown",
        "",
        f"{shortened(code)!r} is not a state, so the state of the seller is not known.",
        "Set the state in the address of the organisation, and its GSTIN, in Zoho Books.",
    )
