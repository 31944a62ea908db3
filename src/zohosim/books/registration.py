"""The GST registration of a contact: what Books might refuse about it. Each refusal is a switch, as none was seen.

https://www.zoho.com/in/books/help/contacts/
"""

import re

from zohosim.answers import Json
from zohosim.books.fields import invalid, missing
from zohosim.books.records import Row
from zohosim.books.resources import Visit
from zohosim.books.states import STATES

REGISTERED = ("business_gst", "business_registered_composition")
FORM = re.compile(r"[0-9]{2}[A-Z0-9]{13}")
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def check_registration(seen: Visit, row: Row, said: Json) -> None:
    """Look at what is said of GST in this call, and at how it fits what is known already."""
    switches = seen.sim.switches
    if not seen.gst or not {"gst_no", "gst_treatment", "place_of_contact"} & set(said):
        return
    number, place = row["gst_no"], row["place_of_contact"]
    if number:
        check_number(number, switches["books_gstin_check"])
    elif row["gst_treatment"] in REGISTERED and switches["books_registered_need_gstin"]:
        raise missing("gst_no")
    if number and place and switches["books_gstin_matches_place"] and STATES[place].number != number[:2]:
        raise invalid("place_of_contact")


def check_number(number: str, how: str) -> None:
    if how != "none" and not FORM.fullmatch(number):
        raise invalid("GSTIN")
    if how == "checksum" and number[-1] != check_letter(number[:14]):
        raise invalid("GSTIN")


def check_letter(first: str) -> str:
    """The last letter of a GSTIN: base 36, weights one and two in turn, digits of the products added."""
    total = 0
    for place, letter in enumerate(first):
        product = DIGITS.index(letter) * (1 + place % 2)
        total += product // 36 + product % 36
    return DIGITS[-total % 36]
