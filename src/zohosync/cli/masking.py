"""What must not stand in a log is covered: personal data of customers, and secrets. Ids stay readable. Pure."""

import re
from collections.abc import Callable, Mapping, Set
from typing import Any

HIDDEN = "***"

# In names of fields, and in front of ``=`` or ``:`` in a text.
SECRET_NAME = re.compile(r"token|secret|password|passwd|authorization|api_key|encryption_key", re.I)
PERSONAL_NAMES = re.compile(
    r"label|email|phone|mobile|(?:first_|last_|full_|account_)?name|company|gstin|\w*address|\w*street|\w*city"
    r"|subject|message|description"
)
# Fields of an event itself that bear such a name and hold words of the program, which are looked through like any text.
PLAIN_NAMES = frozenset({"message", "description"})
ID_NAMES = re.compile(r"(?:\w*_)?ids?")
ID_NUMBER = re.compile(r"\d{1,20}")
# Fields that hold only what the program made, in every line; looking through them would cost more than writing them.
OWN_NAMES = frozenset({"timestamp", "level", "worker"})

# Longer texts are cut before they are looked through, and every pattern takes time in proportion to its text: what
# repeats is bounded or possessive, and what finds no end is covered to the end, so that nothing is looked at twice.
MOST_CHARACTERS = 8_000
LONGEST_WORD = 320  # an e-mail address has 254 characters at most
UNFINISHED = "0123456789 ()./+-"  # at the end of what was cut: perhaps the half of a phone number

WORD = re.compile(r"[a-z_.]{1,60}")  # most of what is logged; there is nothing to look for
PASSWORD = re.compile(r"(://[^\s:/@]{0,200}+):(?!\d{1,5}/)\S{0,1000}@")
NAMED_SECRET = re.compile(
    r"""(\b\w*(?:token|secret|password|passwd|api_key|encryption_keys?)["']?\s*+[=:]\s*+)"""
    r"""("[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\s"'&,;}\)]++)""",
    re.I,
)
SCHEME = re.compile(r"\b(Zoho-oauthtoken|Bearer|Basic)(\s++)[^\s\"',;]++", re.I)
# https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token.html
ZOHO_TOKEN = re.compile(r"\b1000\.[0-9a-z]{6,}+\.[0-9a-z]{6,}+\b", re.I)
# A key has 32 bytes; what it sealed begins with the version byte. https://github.com/fernet/spec/blob/master/Spec.md
FERNET = re.compile(r"(?<![\w-])(?:[A-Za-z0-9_-]{43}=|gAAAA[A-Za-z0-9_-]{20,}+={0,2}+)(?![\w=-])")
# Letters of any script: the vowel signs of Indic ones are no \w.
EMAIL = re.compile(
    r"""([^\s@"'<>(),:;=*\[\]{}|/\\])[^\s@"<>(),:;=\[\]{}|/\\]{0,64}+"""
    r"""@((?:[^\s@"'<>(),:;=*\[\]{}|/\\.]{1,63}+\.){1,9}[^\s@"'<>(),:;=*\[\]{}|/\\.]{2,63}+)"""
)
GSTIN = re.compile(r"(?<![\w-])(\d{2})[A-Z]{5}\d{4}[A-Z][0-9A-Z]Z[0-9A-Z](?![\w-])", re.I)
# Looks like a phone number and is none: an id that is told as one, a UUID, a time, an address on a net, a fraction.
NO_PHONE = (
    r"""\b(?:\w{0,40}_ids?|ids?|operation|organi[sz]ation|incident|attempt)\b["']?[=: ]{1,2}["'#]?\d{1,15}+"""
    r"(?![\w.]|[ ()/+-]{1,3}\d)"
    r"|(?<![\w-])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![\w-])"
    r"|(?<![\w.-])\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9}+)?)?)?(?![\w-])"
    r"|(?<![\w.:-])(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?![\w.-])"
    r"|(?<![\w.:-])\d\.\d++(?![\w.])"
)
# Digits with what people put between them, as far as they go; what follows tells whether the last are part of it.
DIGITS = r"(?<!\w)(?<!\d[.:-])\+?((?:\d++(?:[ ()/\u00a0\u2010-\u2014-]{1,3}+|\.)(?=\d))*+)(\d++)(\w|:\d)?"
PHONE = re.compile(rf"(?P<none>(?i:{NO_PHONE}))|{DIGITS}")
LEAST_DIGITS = 10
LONG_ID = re.compile(r"(\d{16,}+)")  # ids of Zoho have 17 digits and more, phone numbers 15 at most
# Rows of the shop in the words of Postgres. https://www.postgresql.org/docs/current/protocol-error-fields.html
ROW = re.compile(r"(failing row contains )\((?:.*?\)(?=\.?(?:\n|\Z))|.*)", re.S | re.I)
KEY = re.compile(
    r"(Key \((?:(?!\)=\()[^\n]){0,2000}+\)=)\("
    r"(?:.*?\)(?= (?:already exists|is not present|is still referenced|is duplicated|conflicts with))|.*)",
    re.S,
)
# What a sentence quotes is a value, such as the name of a firm, unless it can only be a word of the program.
QUOTED = re.compile(
    r"""(?<![\w'\\])('(?:[^'\n\\]|\\.|(?<=\w)'(?=\w))*+(?:'(?![\w'])|\Z)|"(?:[^"\n\\]|\\.)*+(?:"(?![\w'])|\Z))"""
)
LONGEST_PROGRAM_WORD = 120
PROGRAM_WORD = re.compile(
    r"(?:crm|books|shop|zoho|zohosync|zohosim|pgmq|public)(?:[_.:/-][a-z0-9_.:/-]*)?"
    r"|(?:(?:operation|organisation|incident|attempt|record|message)_)?ids?"
    r"|[A-Z_]*(?:INVALID|MISSING|DUPLICATE|FAIL|ERROR|LIMIT|MANDATORY|LOCKED|TOO_MANY|UNAVAILABLE|MISMATCH|SUCCESS|NOT_|NO_)"
    r"[A-Z_]*|ZOHOSYNC_[A-Z_]+"
    r"|[\d.:TZ+# -]*|[0-9a-f-]{36}|[a-z0-9.-]+:\d{1,7}|\s*"
    r"|\S?\*\*\*(?:@\S+)?|\+?\*+\d\d|\d\d\*\*\*|1000\.\*\*\*|\S+:\*\*\*@\S*"
    r"|[/<][\w./<>-]*|https?://(?:[\w-]+\.)*(?:zoho\w*|localhost|127\.0\.0\.1)[\w./:-]*",
)
# Between double quotes and behind such a word, as Postgres names its objects.
IDENTIFIER = re.compile(r"[a-z_][a-z0-9_.]*")
OBJECT = re.compile(
    r"\b(?:column|relation|table|constraint|index|function|schema|role|for user|database|type|sequence|trigger|policy"
    r"|view|extension|parameter|server at) \Z"
)
OBJECT_LENGTH = 16

COVERS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (PASSWORD, rf"\1:{HIDDEN}@"),
    (SCHEME, rf"\1\2{HIDDEN}"),
    (NAMED_SECRET, rf"\1{HIDDEN}"),
    (ZOHO_TOKEN, f"1000.{HIDDEN}"),
    (FERNET, HIDDEN),
    (ROW, rf"\1({HIDDEN})"),
    (KEY, rf"\1({HIDDEN})"),
    (EMAIL, rf"\1{HIDDEN}@\2"),
    (GSTIN, rf"\1{HIDDEN}"),
    (PHONE, lambda found: found[0] if found["none"] else _covered_number(found)),
    (QUOTED, lambda found: found[0] if _is_of_the_program(found) else found[0][0] + HIDDEN + found[0][0]),
)


def mask_text(text: str) -> str:
    """``a***@example.com``, ``+********45``, ``33***``, ``'***'``. Long texts are cut, and say so."""
    if WORD.fullmatch(text):
        return text
    masked = _cut(text)
    lost = len(text) - len(masked)
    for pattern, cover in COVERS:
        masked = pattern.sub(cover, masked)
    return f"{masked} … ({lost} characters cut)" if lost else masked


def _cut(text: str) -> str:
    """Between two words, so that no half of an address or a number is left that nobody would know for one."""
    if len(text) <= MOST_CHARACTERS:
        return text
    end = max(*(text.rfind(blank, 0, MOST_CHARACTERS) for blank in " \n"), MOST_CHARACTERS - LONGEST_WORD)
    return text[:end].rstrip(UNFINISHED)


def mask_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Every value, at any depth, as something JSON can hold; what a name says to be secret or personal is covered."""
    return {
        mask_text(name): value if name in OWN_NAMES else _masked(value, name.lower(), PLAIN_NAMES)
        for name, value in event.items()
    }


def _masked(value: Any, name: str, plain: Set[str] = frozenset()) -> Any:
    if value is None or value is True or value is False:
        return value
    if isinstance(value, dict):
        return {mask_text(str(inner)): _masked(item, str(inner).lower()) for inner, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(item, name, plain) for item in value]
    if name not in plain and PERSONAL_NAMES.fullmatch(name):
        return _begun(str(value))
    if isinstance(value, int | float):
        return value
    if SECRET_NAME.search(name):
        return HIDDEN if value else value
    text = value if isinstance(value, str) else repr(value)
    return text if ID_NAMES.fullmatch(name) and ID_NUMBER.fullmatch(text) else mask_text(text)


def _begun(text: str) -> str:
    """The first letter tells one from another; an e-mail address keeps its host."""
    covered = mask_text(text)
    return covered if EMAIL.fullmatch(text) else text[:1] + HIDDEN if text else text


def _covered_number(found: re.Match[str]) -> str:
    """Ten digits and more, all but the last two. Those that a letter or a time follows belong to something else."""
    begin, last, glued = found.start(), found.start(3), found[4] is not None
    number = found.string[begin : last if glued else found.end()]
    parts = LONG_ID.split(number)
    parts[::2] = [_covered_digits(part) for part in parts[::2]]
    return "".join(parts) + found.string[begin + len(number) : found.end()]


def _covered_digits(part: str) -> str:
    places = [place for place, one in enumerate(part) if one.isdigit()]
    if len(places) < LEAST_DIGITS:
        return part
    end = places[-2]
    return re.sub(r"\d", "*", part[:end]) + part[end:]


def _is_of_the_program(found: re.Match[str]) -> bool:
    quoted, begin = found[0], found.start()
    inner = quoted[1:-1]
    if len(inner) > LONGEST_PROGRAM_WORD or len(quoted) < 2 or quoted[-1] != quoted[0]:
        return False
    if quoted[0] == '"' and IDENTIFIER.fullmatch(inner):
        return OBJECT.search(found.string, max(0, begin - OBJECT_LENGTH), begin) is not None
    return PROGRAM_WORD.fullmatch(inner) is not None
