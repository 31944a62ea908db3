"""People and operations for the tests of the console."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from httpx import AsyncClient, Response
from psycopg import sql

from zohosync.console.app import Feed
from zohosync.db.pool import Connection, fetch_all, fetch_one
from zohosync.store.users import Role, User

STREAMS = (
    Feed("crm.contact.push", "people", ("customer",)),
    Feed("crm.lead.push", "people", ("inquiry", "quote")),
    Feed("books.estimate.push", "sales", ("quote",)),
    Feed("books.invoice.push", "sales", ("order",)),
)
PASSWORD = "mango tree under rain"
ENDED = ("succeeded", "skipped", "superseded", "failed", "cancelled")


@dataclass(frozen=True)
class Person:
    """Somebody at a browser."""

    browser: AsyncClient
    user: User
    csrf: str

    async def get(self, path: str) -> Response:
        return await self.browser.get(path)

    async def post(self, path: str, **form: str) -> Response:
        return await self.browser.post(path, data={"csrf": self.csrf} | form)


async def add_user(
    connection: Connection, role: Role, email: str | None = None, password_hash: str = "not a hash"
) -> User:
    row = await fetch_one(
        connection,
        """insert into zohosync.console_user (email, name, role, password_hash)
           values (%(email)s, 'Somebody', %(role)s::zohosync.console_role, %(hash)s)
           returning user_id, email, name""",
        {"email": email or f"{role.label}-{uuid4().hex[:6]}@example.com", "role": role.label, "hash": password_hash},
    )
    assert row is not None
    return User(row["user_id"], row["email"], row["name"], role)


async def add_operation(connection: Connection, status: str = "succeeded", **fields: Any) -> int:
    """One operation, as the queue would have left it; returns its id."""
    values: dict[str, Any] = {
        "kind": "crm.contact.push",
        "lane": "people",
        "entity": "customer",
        "record_id": str(uuid4()),
        "cause": "change",
        "status": status,
        "queued": status in ("pending", "running"),
    }
    if status == "running":
        values["claim_id"] = uuid4()
    if status == "waiting":
        values["wait_reason"] = "lines"
    if status == "failed":
        values |= {"error_code": "invalid_data", "error_message": "Zoho refused the e-mail address."}
    values |= fields
    names = [*values, *(["finished_at"] if status in ENDED and "finished_at" not in values else [])]
    row = await (
        await connection.execute(
            sql.SQL("insert into zohosync.operation ({}) values ({}) returning operation_id").format(
                sql.SQL(", ").join(sql.Identifier(name) for name in names),
                sql.SQL(", ").join(sql.Placeholder(name) if name in values else sql.SQL("now()") for name in names),
            ),
            values,
        )
    ).fetchone()
    assert row is not None
    return int(row["operation_id"])


async def add_attempt(connection: Connection, operation_id: int, number: int = 1, **fields: Any) -> None:
    values: dict[str, Any] = {
        "operation_id": operation_id,
        "number": number,
        "claim_id": uuid4(),
        "worker": "shop-1:4711",
        "outcome": "failed",
    } | fields
    await connection.execute(
        sql.SQL(
            "insert into zohosync.attempt (started_at, ended_at, {}) values (now() - interval '2 s', now(), {})"
        ).format(
            sql.SQL(", ").join(sql.Identifier(name) for name in values),
            sql.SQL(", ").join(sql.Placeholder(name) for name in values),
        ),
        values,
    )


async def operations_of(connection: Connection, record_id: str) -> list[dict[str, Any]]:
    return await fetch_all(
        connection,
        "select * from zohosync.operation where record_id = %(record)s order by operation_id",
        {"record": record_id},
    )


async def audited(connection: Connection, action: str) -> list[dict[str, Any]]:
    return await fetch_all(
        connection, "select * from zohosync.audit where action = %(action)s order by audit_id", {"action": action}
    )


def rows_of(page: Response) -> list[int]:
    """The operations a log page shows, in its order."""
    return [int(number) for number in re.findall(r'id="op-(\d+)"', page.text)]


def text_of(page: Response) -> str:
    """What a reader sees, roughly: without tags and with single spaces."""
    body = re.sub(r"(?s)<(head|svg|script).*?</\1>", " ", page.text)
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())
