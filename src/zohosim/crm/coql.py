"""COQL: the part of Zoho's query language that asks one module for rows. It reads without search's delay.

https://www.zoho.com/crm/developer/docs/api/v8/COQL-Overview.html, COQL-Limitations.html
"""

import re
from dataclasses import dataclass
from typing import Any

from zohosim.answers import Json, Refused
from zohosim.crm.criteria import Comparison, Criterion, Group, comparable, number

MOST_ROWS = 2_000
MOST_OFFSET = 100_000
MOST_FIELDS = 50
MOST_CRITERIA = 25
MOST_IN = 50
MOST_ORDERS = 10
DEFAULT_ROWS = 200

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:\\.|[^'\\])*')|(?P<number>-?\d+(?:\.\d+)?(?![\w.:-]))|(?P<instant>\d{4}-\d\d-\d\d(?:T[\d:.+Z-]+)?)"
    r"|(?P<word>[A-Za-z_$][\w$]*(?:\.[A-Za-z_][\w]*)*)|(?P<sign>>=|<=|!=|=|>|<|\(|\)|,|\*))"
)
CLAUSES = ("select", "from", "where", "order", "by", "limit", "offset", "group", "asc", "desc")


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    column: int


@dataclass(frozen=True, slots=True)
class Query:
    fields: tuple[str, ...]
    module: str
    where: Criterion
    orders: tuple[tuple[str, bool], ...]
    """(field, descending)"""
    offset: int
    limit: int
    counts: bool
    """`select COUNT(id)` asks for a number instead of rows."""


def syntax_error(details: Json) -> Refused:
    return Refused(400, "SYNTAX_ERROR", "syntax error in the query", details)


def missing_clause(name: str) -> Refused:
    return Refused(400, "SYNTAX_ERROR", "missing clause", {"clause": name})


def limit_exceeded(by: str, limit: int) -> Refused:
    return Refused(400, "LIMIT_EXCEEDED", f"the limit of {by} is exceeded", {"by": by, "limit": limit})


def tokenize(text: str) -> list[Token]:
    tokens: list[Token] = []
    place = 0
    text = text.rstrip()
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None or match.end() == place:
            raise syntax_error({"line": 1, "column": place + 1, "near": text[place : place + 20].strip()})
        kind = str(match.lastgroup)
        tokens.append(Token(kind, match.group(kind), match.start(kind) + 1))
        place = match.end()
    return tokens


def read_query(text: str) -> Query:
    """A query or a Refused that says what is wrong with it."""
    return QueryReader(text).read()


class QueryReader:
    def __init__(self, text: str) -> None:
        self.tokens = tokenize(text)
        self.place = 0
        self.criteria = 0

    # Tokens

    def peek(self) -> Token:
        return self.tokens[self.place] if self.place < len(self.tokens) else Token("end", "", -1)

    def take(self) -> Token:
        token = self.peek()
        self.place += 1
        return token

    def found(self, *words: str) -> bool:
        """Take the words if they come next."""
        ahead = [token.text.lower() for token in self.tokens[self.place : self.place + len(words)]]
        if ahead != list(words):
            return False
        self.place += len(words)
        return True

    def confused(self, token: Token) -> Refused:
        return syntax_error({"line": 1, "column": max(token.column, 1), "near": token.text})

    def expect(self, sign: str) -> None:
        token = self.take()
        if token.text.lower() != sign:
            raise self.confused(token)

    # Clauses

    def read(self) -> Query:
        if not self.found("select"):
            raise missing_clause("select")
        fields, counts = self.read_fields()
        if not self.found("from"):
            raise missing_clause("from")
        module = self.read_name()
        if not self.found("where"):
            raise missing_clause("where")
        where = self.read_criteria()
        orders = self.read_orders() if self.found("order", "by") else ()
        offset, limit = self.read_limit()
        if self.peek().kind != "end":
            raise self.confused(self.peek())
        return Query(fields, module, where, orders, offset, limit, counts)

    def read_name(self) -> str:
        token = self.take()
        if token.kind != "word" or token.text.lower() in CLAUSES:
            raise self.confused(token)
        return token.text

    def read_fields(self) -> tuple[tuple[str, ...], bool]:
        if self.found("count", "(", "id", ")"):
            return ("id",), True
        names = [self.read_name()]
        while self.found(","):
            names.append(self.read_name())
        if len(names) > MOST_FIELDS:
            raise limit_exceeded("select", MOST_FIELDS)
        return tuple(names), False

    def read_orders(self) -> tuple[tuple[str, bool], ...]:
        orders = [self.read_order()]
        while self.found(","):
            orders.append(self.read_order())
        if len(orders) > MOST_ORDERS:
            raise limit_exceeded("order by", MOST_ORDERS)
        if len({name for name, _ in orders}) < len(orders):
            raise Refused(400, "DUPLICATE_DATA", "duplicate columns in order by", {"clause": "order by"})
        return tuple(orders)

    def read_order(self) -> tuple[str, bool]:
        name = self.read_name()
        if self.found("desc"):
            return name, True
        self.found("asc")
        return name, False

    def read_limit(self) -> tuple[int, int]:
        """`limit 200`, `limit 0, 200` (offset first) or `limit 200 offset 0`."""
        if not self.found("limit"):
            return 0, DEFAULT_ROWS
        first = self.read_whole()
        offset, limit = 0, first
        if self.found(","):
            offset, limit = first, self.read_whole()
        elif self.found("offset"):
            offset = self.read_whole()
        if limit > MOST_ROWS:
            raise limit_exceeded("limit", MOST_ROWS)
        if offset + limit > MOST_OFFSET:
            raise limit_exceeded("offset", MOST_OFFSET)
        return offset, limit

    def read_whole(self) -> int:
        token = self.take()
        if token.kind != "number" or not token.text.isdigit():
            raise self.confused(token)
        return int(token.text)

    # Criteria: pairwise, `((a and b) and c)`

    def read_criteria(self) -> Criterion:
        left = self.read_criterion()
        joint = self.joint()
        if not joint:
            return left
        right = self.read_criterion()
        if self.joint():
            raise self.confused(self.tokens[self.place - 1])
        return Group(joint, (left, right))

    def joint(self) -> str:
        return next((word for word in ("and", "or") if self.found(word)), "")

    def read_criterion(self) -> Criterion:
        if self.found("("):
            inside = self.read_criteria()
            self.expect(")")
            return inside
        self.criteria += 1
        if self.criteria > MOST_CRITERIA:
            raise limit_exceeded("where", MOST_CRITERIA)
        field = self.read_name()
        operator = self.read_operator()
        return Comparison(field, operator, self.read_operand(operator))

    def read_operator(self) -> str:
        for words in (("is", "not", "null"), ("is", "null"), ("not", "in"), ("not", "like"), ("not", "between")):
            if self.found(*words):
                return " ".join(words)
        token = self.take()
        name = token.text.lower()
        if name in ("=", "!=", ">", ">=", "<", "<=", "in", "like", "between"):
            return name
        raise self.confused(token)

    def read_operand(self, operator: str) -> Any:
        if operator.startswith("is "):
            return None
        if operator.endswith("in"):
            return self.read_list()
        if operator.endswith("between"):
            low = self.read_value()
            self.expect("and")
            return [low, self.read_value()]
        return self.read_value()

    def read_list(self) -> list[Any]:
        self.expect("(")
        values = [self.read_value()]
        while self.found(","):
            values.append(self.read_value())
        self.expect(")")
        if len(values) > MOST_IN:
            raise limit_exceeded("in", MOST_IN)
        return values

    def read_value(self) -> Any:
        token = self.take()
        if token.kind == "text":
            return comparable(re.sub(r"\\(.)", r"\1", token.text[1:-1]))
        if token.kind == "number":
            return number(token.text)
        if token.kind == "instant":
            return comparable(token.text)
        if token.text.lower() in ("true", "false"):
            return token.text.lower()
        raise self.confused(token)
