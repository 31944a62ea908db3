"""The states of India as Books calls them: two-letter codes of its own with the number a GSTIN starts with.

Some codes are not ISO's: AD, CG, OD, TS, UK. https://www.zoho.com/in/books/kb/
"""

from typing import NamedTuple


class State(NamedTuple):
    name: str
    number: str


STATES: dict[str, State] = {
    "JK": State("Jammu and Kashmir", "01"),
    "HP": State("Himachal Pradesh", "02"),
    "PB": State("Punjab", "03"),
    "CH": State("Chandigarh", "04"),
    "UK": State("Uttarakhand", "05"),
    "HR": State("Haryana", "06"),
    "DL": State("Delhi", "07"),
    "RJ": State("Rajasthan", "08"),
    "UP": State("Uttar Pradesh", "09"),
    "BR": State("Bihar", "10"),
    "SK": State("Sikkim", "11"),
    "AR": State("Arunachal Pradesh", "12"),
    "NL": State("Nagaland", "13"),
    "MN": State("Manipur", "14"),
    "MZ": State("Mizoram", "15"),
    "TR": State("Tripura", "16"),
    "ML": State("Meghalaya", "17"),
    "AS": State("Assam", "18"),
    "WB": State("West Bengal", "19"),
    "JH": State("Jharkhand", "20"),
    "OD": State("Odisha", "21"),
    "CG": State("Chhattisgarh", "22"),
    "MP": State("Madhya Pradesh", "23"),
    "GJ": State("Gujarat", "24"),
    "DN": State("Dadra and Nagar Haveli and Daman and Diu", "26"),
    "MH": State("Maharashtra", "27"),
    "KA": State("Karnataka", "29"),
    "GA": State("Goa", "30"),
    "LD": State("Lakshadweep", "31"),
    "KL": State("Kerala", "32"),
    "TN": State("Tamil Nadu", "33"),
    "PY": State("Puducherry", "34"),
    "AN": State("Andaman and Nicobar Islands", "35"),
    "TS": State("Telangana", "36"),
    "AD": State("Andhra Pradesh", "37"),
    "LA": State("Ladakh", "38"),
    "OT": State("Other Territory", "97"),
}
