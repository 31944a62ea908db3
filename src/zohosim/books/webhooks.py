"""Webhooks out of Books: rules per module and event, and the request that each makes of a change.

The body is the record's detail under its name, without a word of what happened to it, when, or in which organisation.
https://www.zoho.com/books/api/v3/webhooks/
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from zohosim.answers import Json, dumps
from zohosim.books.courier import Delivery
from zohosim.books.fields import invalid, missing

ENTITIES: dict[str, str] = {
    "contact": "contacts", "item": "items", "invoice": "invoices", "estimate": "estimates",
    "customerpayment": "customerpayments", "creditnote": "creditnotes",
    "inventory_adjustment": "inventoryadjustments",
}  # fmt: skip
"""What a rule is for, with the table of its records."""
EVENTS = {"created": "created", "edited": "updated", "deleted": "deleted"}
"""What a rule is called at, with what the records call it."""
METHODS = ("POST", "PUT", "DELETE")
JSON_BODY, FORM_BODY = "application/json", "application/x-www-form-urlencoded"
WHOLE = "${JSONString}"
"""Stands for the whole record in raw data and in form values."""
SIGNATURE = "X-Zoho-Webhook-Signature"
MOST_CALLS = 1_000
MOST_RULES_OF_A_MODULE = 10
LONGEST_NAME, LONGEST_URL, SHORTEST_SECRET, LONGEST_SECRET = 50, 5_000, 12, 50

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A webhook together with the workflow rule that fires it: one of each is all Books lets belong together."""

    id: str
    name: str
    entity: str
    events: tuple[str, ...]
    url: str
    method: str = "POST"
    headers: Pairs = ()
    query_parameters: Pairs = ()
    body_type: str = JSON_BODY
    raw_data: str = ""
    form_data: Pairs = ()
    secret: str = ""

    def shown(self) -> Json:
        return {
            "webhook_id": self.id, "webhook_name": self.name, "entity": self.entity, "events": list(self.events),
            "url": self.url, "method": self.method, "headers": as_params(self.headers), "body_type": self.body_type,
            "query_parameters": as_params(self.query_parameters), "raw_data": self.raw_data,
            "form_data": as_params(self.form_data), "is_active": True,
        }  # fmt: skip

    def address(self) -> str:
        """The URL with the parameters of the rule behind its own."""
        parts = urlsplit(self.url)
        own = parse_qsl(parts.query, keep_blank_values=True)
        return urlunsplit(parts._replace(query=urlencode([*own, *self.query_parameters])))

    def delivery(self, entity_node: str, detail: Json, event: str, row_id: str) -> Delivery:
        """The request that tells of one record."""
        whole = dumps({entity_node: detail}).decode()
        form = [(name, value.replace(WHOLE, whole)) for name, value in self.form_data]
        url = self.address()
        signed = [*parse_qsl(urlsplit(url).query, keep_blank_values=True)]
        headers = {"Content-Type": self.body_type, **dict(self.headers)}
        if self.body_type == FORM_BODY:
            content, signable = urlencode(form).encode(), sign_text([*signed, *form], b"")
        else:
            content = (self.raw_data or WHOLE).replace(WHOLE, whole).encode()
            signable = sign_text(signed, content)
        if self.secret:
            headers[SIGNATURE] = hmac.new(self.secret.encode(), signable, hashlib.sha256).hexdigest()
        return Delivery(url, self.method, headers, content, self.entity, event, row_id, self.id)


def sign_text(parameters: Iterable[tuple[str, str]], raw: bytes) -> bytes:
    """What is signed: names and values of the parameters, sorted by name and joined by nothing, then the raw body."""
    return "".join(name + value for name, value in sorted(parameters)).encode() + raw


def as_params(pairs: Pairs) -> list[Json]:
    return [{"param_name": name, "param_value": value} for name, value in pairs]


@dataclass(slots=True)
class Webhooks:
    """The rules of one organisation, and how many calls they made on which day."""

    rules: list[Rule] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)

    def add(self, rule: Rule) -> Rule:
        """One more; ValueError when the module has as many as Books lets it have."""
        if sum(rule.entity == known.entity for known in self.rules) >= MOST_RULES_OF_A_MODULE:
            raise ValueError(f"a module has at most {MOST_RULES_OF_A_MODULE} rules")
        self.rules.append(rule)
        return rule

    def remove(self, rule_id: str) -> bool:
        """Whether there was one of this id."""
        left = [rule for rule in self.rules if rule.id != rule_id]
        found = len(left) < len(self.rules)
        self.rules = left
        return found

    def may_send(self, day: str) -> bool:
        """Counts one call of the day; beyond the cap webhooks are dropped without a word."""
        self.sent[day] = self.sent.get(day, 0) + 1
        return self.sent[day] <= MOST_CALLS


def read_rule(given: Json, rule_id: str) -> Rule:
    """A rule from the body of a call; refused when Books would not take it."""
    for key in ("url", "entity", "events"):
        if not given.get(key):
            raise missing(key)
    rule = Rule(
        id=rule_id,
        name=str(given.get("webhook_name") or "Webhook"),
        entity=str(given["entity"]),
        events=tuple(map(str, given["events"])),
        url=str(given["url"]),
        method=str(given.get("method") or "POST"),
        headers=read_params(given, "headers"),
        query_parameters=read_params(given, "query_parameters"),
        body_type=str(given.get("body_type") or JSON_BODY),
        raw_data=str(given.get("raw_data") or ""),
        form_data=read_params(given, "form_data"),
        secret=str(given.get("secret") or ""),
    )
    return checked(rule)


def checked(rule: Rule) -> Rule:
    wrong = {
        "entity": rule.entity not in ENTITIES,
        "events": not set(rule.events) <= set(EVENTS),
        "method": rule.method not in METHODS,
        "body_type": rule.body_type not in (JSON_BODY, FORM_BODY),
        "url": len(rule.url) > LONGEST_URL or urlsplit(rule.url).scheme not in ("http", "https"),
        "webhook_name": len(rule.name) > LONGEST_NAME,
        "secret": bool(rule.secret) and not well_made(rule.secret),
    }
    for key, bad in wrong.items():
        if bad:
            raise invalid(key)
    return rule


def well_made(secret: str) -> bool:
    return SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET and secret.isascii() and secret.isalnum()


def read_params(given: Json, key: str) -> Pairs:
    """Pairs of an array of {param_name, param_value}."""
    wanted: Any = given.get(key) or []
    if not isinstance(wanted, list) or not all(isinstance(one, dict) for one in wanted):
        raise invalid(key)
    return tuple((str(one.get("param_name", "")), str(one.get("param_value", ""))) for one in wanted)
