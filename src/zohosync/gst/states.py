"""Which state an address means, and how it was told."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from zohosync.gst.countries import tell_country
from zohosync.gst.sale import Problem, StateSource
from zohosync.gst.state_table import AMBIGUOUS, BY_CODE, BY_PIN_PREFIX, STATES, State
from zohosync.gst.wording import LONGEST_QUOTED, plain, shortened, visible

LIKE_ENOUGH = 0.88
CLEARLY_BETTER = 0.08
LONGEST_CODE = 3
PIN = re.compile(r"[1-9][0-9]{5}")
BEFORE = ("state of ", "ut of ", "union territory of ")
AFTER = (" india", " state", " ut", " union territory")
WHERE = "Correct the state or the PIN of the delivery address in the shop, or by an override of this order."


@dataclass(frozen=True, slots=True)
class Resolved:
    """A state by Zoho's code."""

    code: str
    source: StateSource


def resolve_state(
    text: str | None, postal_code: str | None, country: str | None = "India", *, by_person: bool = False
) -> Resolved | Problem:
    """The state of an address in India, by its text and its PIN.

    A code, a name or a known misspelling decides, unless the PIN belongs to another state. A word that is only like a
    name needs the PIN to agree. Without a usable text a PIN decides where its prefix serves one state.
    ``by_person``: an administrator wrote it, so the PIN does not contradict.
    """
    whereabouts = tell_country(country)
    if whereabouts == "missing" and not by_person:
        return country_missing() if (text or "").strip() or (postal_code or "").strip() else address_missing()
    if whereabouts in ("abroad", "unknown"):
        return country_unknown(country or "")
    words = strip_words(plain(text or ""))
    if len(words) > LONGEST_QUOTED:
        return _unresolved(text, postal_code, words)
    found = _by_text(text or "", words)
    near = served_by(postal_code)
    if by_person:
        found = found or _by_likeness(words, near) or _by_pin(words, near)
        return Resolved(found.code, "person") if found else _unresolved(text, postal_code, words)
    if found is None:
        found = _by_likeness(words, near) or _by_pin(words, near)
    if found is None:
        return _conflict_or_unresolved(text, postal_code, words, near)
    if _is_bare_code(text or "", words) and is_foreign_pin(postal_code):
        return _perhaps_abroad(found.code, text, postal_code)
    return found if _agrees(found.code, near) else _conflict([found.code], text, postal_code, near)


def served_by(postal_code: str | None) -> frozenset[str]:
    """The states a PIN may lie in; empty when it is none, or proves nothing (the Army's do not)."""
    digits = _digits(postal_code)
    return BY_PIN_PREFIX.get(digits[:3], frozenset()) if PIN.fullmatch(digits) else frozenset()


def is_foreign_pin(postal_code: str | None) -> bool:
    """Whether something stands there that no PIN of India is: a ZIP code, or a mistyped PIN."""
    digits = _digits(postal_code)
    return bool(digits) and not PIN.fullmatch(digits)


def name_of(code: str) -> str:
    """What people call a state of Zoho's code; the code itself when there is no such state."""
    return BY_CODE[code].name if code in BY_CODE else code


def country_missing() -> Problem:
    return Problem(
        "country_missing",
        "",
        "The delivery address names no country.",
        "Add the country to the address in the shop, or by an override of this order.",
    )


def address_missing() -> Problem:
    return Problem(
        "country_missing",
        "",
        "The order has no delivery address: no state, no PIN and no country.",
        "Enter the delivery address in the shop, or its state and country by overrides of this order.",
    )


def country_unknown(text: str) -> Problem:
    return Problem(
        "country_unknown",
        shortened(text),
        f"{shortened(text)!r} is not the name or code of a country.",
        "Correct the country of the delivery address in the shop, or by an override of this order.",
    )


def strip_words(words: str) -> str:
    """Without what people put around the name: "State of Kerala, India" is "kerala"."""
    for before in BEFORE:
        words = words.removeprefix(before)
    stripped = ""
    while stripped != words:
        stripped = words
        for after in AFTER:
            words = words.removesuffix(after)
    return words


def _by_text(text: str, words: str) -> Resolved | None:
    code = visible(text).upper().removeprefix("IN-")
    if code in CODES and not (code == "UT" and code == visible(text).upper()):
        return Resolved(CODES[code], "code")
    if words in AMBIGUOUS:
        return None
    joined = words.replace(" ", "")
    if found := NAMES.get(words) or NAMES.get(joined):
        return Resolved(found, "name")
    found = ALIASES.get(plain(text)) or ALIASES.get(words) or ALIASES.get(joined)
    return Resolved(found, "alias") if found else None


def _is_bare_code(text: str, words: str) -> bool:
    """Two letters or so, which mean another state in another country: GA is Goa, and Georgia."""
    return len(words.replace(" ", "")) <= LONGEST_CODE and not visible(text).upper().startswith("IN-")


def _digits(postal_code: str | None) -> str:
    return re.sub(r"[\s-]", "", visible(postal_code or ""))


def _by_likeness(words: str, near: frozenset[str]) -> Resolved | None:
    suggested = suggest(words)
    return Resolved(suggested, "fuzzy+pin") if suggested and suggested in near else None


def _by_pin(words: str, near: frozenset[str]) -> Resolved | None:
    """By the PIN alone: only when the text means nothing, or may mean this state among others."""
    if len(near) != 1 or suggest(words) or not near <= AMBIGUOUS.get(words, near):
        return None
    return Resolved(next(iter(near)), "pin")


def suggest(words: str) -> str | None:
    """The one state whose name is clearly the most like the words; no proof by itself."""
    if not 4 <= len(words) <= LONGEST_QUOTED or words in AMBIGUOUS:
        return None
    scores = sorted(((_likeness(words, state), state.code) for state in STATES), reverse=True)
    (best, code), (second, _) = scores[:2]
    return code if best >= LIKE_ENOUGH and best - second >= CLEARLY_BETTER else None


def _likeness(words: str, state: State) -> float:
    names = [plain(state.name), *state.aliases.split(", ")]
    return max(SequenceMatcher(None, words, name).ratio() for name in names)


def _agrees(code: str, near: frozenset[str]) -> bool:
    return not near or code in near


def _conflict_or_unresolved(text: str | None, postal_code: str | None, words: str, near: frozenset[str]) -> Problem:
    meant = AMBIGUOUS.get(words) or ({suggested} if (suggested := suggest(words)) else set())
    if meant and near and not meant & near:
        return _conflict(meant, text, postal_code, near)
    return _unresolved(text, postal_code, words)


def _conflict(meant: Iterable[str], text: str | None, postal_code: str | None, near: frozenset[str]) -> Problem:
    return Problem(
        "state_pin_conflict",
        "",
        f"The delivery address says {_named(meant)} ({shortened(text)}), but PIN "
        f"{shortened(postal_code)} is of {_named(near)}.",
        WHERE,
    )


def _perhaps_abroad(code: str, text: str | None, postal_code: str | None) -> Problem:
    return Problem(
        "state_pin_conflict",
        "",
        f"The delivery address says {shortened(text)}, a code of {name_of(code)}, but {shortened(postal_code)} is no"
        " PIN of India, so it may be an address abroad.",
        "Correct the PIN, the state or the country of the delivery address in the shop, or by an override of this"
        " order.",
    )


def _unresolved(text: str | None, postal_code: str | None, words: str) -> Problem:
    typed, pin = shortened(text), shortened(postal_code)
    said = f"State {typed!r}" if typed else "No state"
    with_pin = f"PIN {pin!r}" if pin else "no PIN"
    suggested = suggest(words)
    hint = f"It may be {name_of(suggested)}. {WHERE}" if suggested else WHERE
    return Problem("state_unresolved", "", f"{said} and {with_pin} do not tell which state is delivered to.", hint)


def _named(codes: Iterable[str]) -> str:
    return " or ".join(sorted(name_of(code) for code in codes))


def _codes() -> dict[str, str]:
    return {
        code: state.code
        for state in STATES
        for code in (state.code, state.digits, *state.codes.split(), *(("UT",) if state.code == "UK" else ()))
    }


def _spellings(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """With and without spaces: people write Tamilnadu."""
    return {form: code for name, code in names for form in (name, name.replace(" ", ""))}


CODES = _codes()
NAMES = _spellings((plain(state.name), state.code) for state in STATES)
ALIASES = _spellings((alias, state.code) for state in STATES for alias in state.aliases.split(", ") if alias)
