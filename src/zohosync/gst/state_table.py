"""The states and union territories of India.

Codes are Zoho's; digits those of GSTINs. https://www.zoho.com/in/books/kb/gst/valid-state-codes-list.md
Prefixes of PINs are by postal circle; some serve two states, so a PIN alone proves a state only where its prefix
serves one. Where the circles of Uttar Pradesh and Uttarakhand, Bihar and Jharkhand, Telangana and Andhra Pradesh meet,
the split is by hand.
"""

from dataclasses import dataclass
from typing import Literal

SecondLeg = Literal["SGST", "UTGST"]


@dataclass(frozen=True, slots=True)
class State:
    """``code`` is Zoho's, ``digits`` GST's. Lists are written as text: ``codes`` of other tables and ``own`` and
    ``shared`` prefixes of PINs by spaces, ``aliases`` by commas."""

    code: str
    digits: str
    name: str
    codes: str
    second_leg: SecondLeg
    own: str
    shared: str
    aliases: str


STATES = (
    State(
        "JK",
        "01",
        "Jammu and Kashmir",
        "",
        "SGST",
        "180-193",
        "",
        "jammu kashmir, jammu, kashmir, j and k, j k, jandk, jk union territory, srinagar kashmir",
    ),
    State(
        "HP",
        "02",
        "Himachal Pradesh",
        "",
        "SGST",
        "171-177",
        "",
        "himachal, himachalpradesh, himanchal pradesh",
    ),
    State(
        "PB",
        "03",
        "Punjab",
        "",
        "SGST",
        "140-159",
        "160",
        "panjab",
    ),
    State(
        "CH",
        "04",
        "Chandigarh",
        "",
        "UTGST",
        "",
        "160",
        "chandigarh ut, chandigadh",
    ),
    State(
        "UK",
        "05",
        "Uttarakhand",
        "UA UL",
        "SGST",
        "248 249 263",
        "244 246 247 262",
        "uttaranchal, uttrakhand, uttarkhand, uttarakhand state",
    ),
    State(
        "HR",
        "06",
        "Haryana",
        "",
        "SGST",
        "121-136",
        "",
        "hariyana",
    ),
    State(
        "DL",
        "07",
        "Delhi",
        "",
        "SGST",
        "110",
        "",
        "new delhi, nct of delhi, nct delhi, national capital territory of delhi, delhi nct",
    ),
    State(
        "RJ",
        "08",
        "Rajasthan",
        "",
        "SGST",
        "301-345",
        "",
        "rajastan, rajasthan state",
    ),
    State(
        "UP",
        "09",
        "Uttar Pradesh",
        "",
        "SGST",
        "201-243 245 250-261 264-285",
        "244 246 247 262",
        "u p, uttarpradesh, uttar pradesh up",
    ),
    State(
        "BR",
        "10",
        "Bihar",
        "BH",
        "SGST",
        "800-812 821 823-824 841-855",
        "813",
        "behar",
    ),
    State(
        "SK",
        "11",
        "Sikkim",
        "",
        "SGST",
        "737",
        "",
        "",
    ),
    State(
        "AR",
        "12",
        "Arunachal Pradesh",
        "",
        "SGST",
        "790-792",
        "",
        "arunachal, arunanchal pradesh",
    ),
    State(
        "NL",
        "13",
        "Nagaland",
        "",
        "SGST",
        "797-798",
        "",
        "",
    ),
    State(
        "MN",
        "14",
        "Manipur",
        "",
        "SGST",
        "795",
        "",
        "",
    ),
    State(
        "MZ",
        "15",
        "Mizoram",
        "MI",
        "SGST",
        "796",
        "",
        "",
    ),
    State(
        "TR",
        "16",
        "Tripura",
        "",
        "SGST",
        "799",
        "",
        "",
    ),
    State(
        "ML",
        "17",
        "Meghalaya",
        "ME",
        "SGST",
        "793-794",
        "783",
        "meghalay",
    ),
    State(
        "AS",
        "18",
        "Assam",
        "",
        "SGST",
        "781-782 784-788",
        "783",
        "asam",
    ),
    State(
        "WB",
        "19",
        "West Bengal",
        "",
        "SGST",
        "700-736 738-743",
        "",
        "westbengal, w bengal, w b, bengal, paschim bangal, bangla",
    ),
    State(
        "JH",
        "20",
        "Jharkhand",
        "",
        "SGST",
        "814-816 822 825-835",
        "813",
        "jharkand",
    ),
    State(
        "OD",
        "21",
        "Odisha",
        "OR",
        "SGST",
        "751-770",
        "",
        "orissa, odissa, orisa",
    ),
    State(
        "CG",
        "22",
        "Chhattisgarh",
        "CT",
        "SGST",
        "490-497",
        "",
        "chattisgarh, chhatisgarh, chattisgadh, chhattisgadh, chhatishgarh",
    ),
    State(
        "MP",
        "23",
        "Madhya Pradesh",
        "",
        "SGST",
        "450-488",
        "",
        "m p, madhyapradesh, madhy pradesh",
    ),
    State(
        "GJ",
        "24",
        "Gujarat",
        "",
        "SGST",
        "360-361 363-395",
        "362 396",
        "gujrat, gujarath, gujarat state",
    ),
    State(
        "DN",
        "26",
        "Dadra and Nagar Haveli and Daman and Diu",
        "DD DH",
        "UTGST",
        "",
        "362 396",
        "dadra and nagar haveli, daman and diu, daman diu, dadra nagar haveli, dnh, dnhdd, dnh and dd, d and nh, "
        "silvassa, daman, diu, "
        "the dadra and nagar haveli and daman and diu",
    ),
    State(
        "MH",
        "27",
        "Maharashtra",
        "",
        "SGST",
        "400-402 404-445",
        "",
        "maharastra, maharashtra state, maharshtra",
    ),
    State(
        "KA",
        "29",
        "Karnataka",
        "",
        "SGST",
        "560-591",
        "",
        "karnatka, karnatak, mysore state",
    ),
    State(
        "GA",
        "30",
        "Goa",
        "",
        "SGST",
        "403",
        "",
        "",
    ),
    State(
        "LD",
        "31",
        "Lakshadweep",
        "",
        "UTGST",
        "",
        "682",
        "lakshadweep islands, lakshdweep, lakshadeep",
    ),
    State(
        "KL",
        "32",
        "Kerala",
        "",
        "SGST",
        "670-672 674-681 683-695",
        "673 682",
        "kerela, keralam",
    ),
    State(
        "TN",
        "33",
        "Tamil Nadu",
        "",
        "SGST",
        "600-604 606 608 610-643",
        "605 607 609",
        "tamilnadu, tamil naadu, tamilnad, tamizh nadu, t n",
    ),
    State(
        "PY",
        "34",
        "Puducherry",
        "",
        "SGST",
        "",
        "605 607 609 533 673",
        "pondicherry, pondichery, puduchery, pudhucherry, pondy, karaikal, yanam, mahe",
    ),
    State(
        "AN",
        "35",
        "Andaman and Nicobar Islands",
        "",
        "UTGST",
        "744",
        "",
        "andaman and nicobar, andaman nicobar, andaman, a and n islands, port blair",
    ),
    State(
        "TS",
        "36",
        "Telangana",
        "TG",
        "SGST",
        "500-506 508-509",
        "507",
        "telengana, telangana state, telanagana, telengana state",
    ),
    State(
        "AD",
        "37",
        "Andhra Pradesh",
        "AP",
        "SGST",
        "515-532 534-535",
        "533 507",
        "andhrapradesh, andhra, a p, andra pradesh, andhra pradesh new, andhara pradesh",
    ),
    State(
        "LA",
        "38",
        "Ladakh",
        "",
        "UTGST",
        "194",
        "",
        "ladak, leh ladakh, leh",
    ),
    State(
        "OT",
        "97",
        "Other Territory",
        "",
        "UTGST",
        "",
        "",
        "",
    ),
)

AMBIGUOUS: dict[str, frozenset[str]] = {
    "delhi ncr": frozenset({"DL", "UP", "HR", "RJ"}),
    "ncr": frozenset({"DL", "UP", "HR", "RJ"}),
    "ut": frozenset({"CH", "DN", "LD", "LA", "AN", "UK"}),
    "union territory": frozenset({"CH", "DN", "LD", "LA", "AN", "DL", "PY", "JK"}),
    "pradesh": frozenset({"HP", "UP", "AR", "MP", "AD"}),
}
"""What may be one of several states, and which."""

BY_CODE = {state.code: state for state in STATES}
BY_DIGITS = {state.digits: state for state in STATES}


def _expand(ranges: str) -> set[str]:
    found: set[str] = set()
    for part in ranges.split():
        first, _, last = part.partition("-")
        found.update(str(number) for number in range(int(first), int(last or first) + 1))
    return found


def _by_prefix() -> dict[str, frozenset[str]]:
    served: dict[str, set[str]] = {}
    for state in STATES:
        for prefix in _expand(f"{state.own} {state.shared}"):
            served.setdefault(prefix, set()).add(state.code)
    return {prefix: frozenset(codes) for prefix, codes in served.items()}


BY_PIN_PREFIX = _by_prefix()
"""Three digits of a PIN to the codes of the states they serve."""
