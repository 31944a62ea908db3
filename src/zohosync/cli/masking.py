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
# Fields that hold only what the program made, in every line; looking through them would cost more than writing them.
OWN_NAMES = frozenset({"timestamp", "level", "worker"})

WORD = re.compile(r"[a-z_.]{1,60}")  # most of what is logged; there is nothing to look for
PASSWORD = re.compile(r"(\w+://[^\s:/@]*):[^\s/]*@")
NAMED_SECRET = re.compile(
    r"""(\b\w*(?:token|secret|password|passwd|api_key|encryption_keys?)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s"'&,;}\)]+)""",
    re.I,
)
SCHEME = re.compile(r"\b(Zoho-oauthtoken|Bearer|Basic)(\s+)[^\s\"',;]+", re.I)
# https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token.html
ZOHO_TOKEN = re.compile(r"\b1000\.[0-9a-z]{6,}\.[0-9a-z]{6,}\b", re.I)
# A key has 32 bytes; what it sealed begins with the version byte. https://github.com/fernet/spec/blob/master/Spec.md
FERNET = re.compile(r"(?<![\w-])(?:[A-Za-z0-9_-]{43}=|gAAAA[A-Za-z0-9_-]{20,}={0,2})(?![\w=-])")
EMAIL = re.compile(r"([^\s@\"'<>(),:;=*\[\]{}|/\\])[^\s@\"<>(),:;=\[\]{}|/\\]{0,64}@((?:[\w-]+\.)+[\w-]{2,})")
GSTIN = re.compile(r"(?<![\w-])(\d{2})[A-Z]{5}\d{4}[A-Z][0-9A-Z]Z[0-9A-Z](?![\w-])", re.I)
# Ten to fifteen digits with what people put between them; ids of Zoho have 17 and more.
PHONE = re.compile(r"(?<![\w.:-])(\+?\d(?:[ ()-]{0,2}\d){7,12})(\d{2})(?![\w:-]|\.\d)")
# Rows of the shop in the words of Postgres. https://www.postgresql.org/docs/current/protocol-error-fields.html
ROW = re.compile(r"(Failing row contains )\(.*\)", re.S)
KEY = re.compile(r"(Key \([^)]*\)=)\(.*?\)(?= |$|\.)", re.M)
# What a sentence quotes is a value, such as the name of a firm, unless it can only be a word of the program.
QUOTED = re.compile(r"(?<![\w'])('(?:[^'\n\\]|\\.)*'|\"(?:[^\"\n\\]|\\.)*\")(?![\w'])")
PROGRAM_WORD = re.compile(
    r"[a-z0-9-]*(?:[_.:/][a-z0-9-]*)+|[A-Z]+(?:_[A-Z]+)+|[\d.:TZ+# -]+|[0-9a-f-]{36}|\s*|\S*\*\*\*\S*"
    r"|[/<][\w./<>-]*|ZOHOSYNC_[A-Z_]+",
    re.S,
)
IDENTIFIER = re.compile(r"[a-z_][a-z0-9_.]*")  # between double quotes, as Postgres names its objects

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
    (PHONE, lambda found: re.sub(r"\d", "*", found[1]) + found[2]),
    (QUOTED, lambda found: found[0] if _is_of_the_program(found[0]) else found[0][0] + HIDDEN + found[0][0]),
)


def mask_text(text: str) -> str:
    """``a***@example.com``, ``+********45``, ``33***``, ``'***'``."""
    if WORD.fullmatch(text):
        return text
    for pattern, cover in COVERS:
        text = pattern.sub(cover, text)
    return text


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
    return mask_text(value if isinstance(value, str) else repr(value))


def _begun(text: str) -> str:
    """The first letter tells one from another; an e-mail address keeps its host."""
    covered = mask_text(text)
    return covered if EMAIL.fullmatch(text) else text[:1] + HIDDEN if text else text


def _is_of_the_program(quoted: str) -> bool:
    inner = quoted[1:-1]
    if quoted[0] == '"' and IDENTIFIER.fullmatch(inner):
        return True
    return PROGRAM_WORD.fullmatch(inner) is not None
