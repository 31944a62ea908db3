"""Coming in, staying in, going out."""

import asyncio
import hashlib
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from httpx import ASGITransport, AsyncClient, Response
from hypothesis import given
from hypothesis import strategies as st

from conftest import Database
from console.conftest import Enter
from console.stage import PASSWORD, Person, add_user, audited, text_of
from zohosync.clock import SystemClock
from zohosync.config import Settings
from zohosync.console.app import INVITATION_PATH, Console, create_app
from zohosync.console.passwords import Passwords, find_weakness
from zohosync.console.security import safe_path
from zohosync.db.pool import Connection, Pool, fetch_all, fetch_one
from zohosync.store.users import Role, find_session, invite, throttle_subjects

NEW_ADMIN = {"email": "first@example.com", "name": "First Admin", "password": PASSWORD}


async def sign_in(browser: AsyncClient, email: str, password: str, **form: str) -> Response:
    return await browser.post("/sign-in", data={"email": email, "password": password} | form)


@pytest.fixture
async def member(worker: Connection) -> str:
    """The e-mail of somebody who may sign in with PASSWORD."""
    stored = await Passwords().hash(PASSWORD)
    return (await add_user(worker, Role.OPERATOR, "member@example.com", stored)).email


async def test_the_first_admin_comes_in_by_a_one_time_link(stranger: AsyncClient, worker: Connection) -> None:
    link = f"{INVITATION_PATH}/{await invite(worker, Role.ADMIN, timedelta(hours=1))}"
    form = await stranger.get(link)
    assert form.status_code == 200
    assert "makes you an admin" in text_of(form)
    done = await stranger.post(link, data=NEW_ADMIN)
    assert (done.status_code, done.headers["location"]) == (303, "/log")
    page = await stranger.get("/log")
    assert "First Admin" in page.text
    assert [row["actor"] for row in await audited(worker, "user.created")] == ["first@example.com"]


async def test_a_link_works_once(stranger: AsyncClient, worker: Connection) -> None:
    link = f"{INVITATION_PATH}/{await invite(worker, Role.ADMIN, timedelta(hours=1))}"
    await stranger.post(link, data=NEW_ADMIN)
    again = await stranger.post(link, data=NEW_ADMIN | {"email": "second@example.com"})
    assert again.status_code == 404
    assert "used already" in again.text
    assert (await stranger.get(link)).status_code == 404


async def test_a_link_used_twice_at_once_makes_one_user(stranger: AsyncClient, worker: Connection) -> None:
    link = f"{INVITATION_PATH}/{await invite(worker, Role.ADMIN, timedelta(hours=1))}"
    answers = await asyncio.gather(
        *(stranger.post(link, data=NEW_ADMIN | {"email": f"n{n}@example.com"}) for n in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [303, 404, 404, 404]
    assert len(await fetch_all(worker, "select from zohosync.console_user")) == 1


async def test_a_link_expires(stranger: AsyncClient, worker: Connection) -> None:
    link = f"{INVITATION_PATH}/{await invite(worker, Role.ADMIN, timedelta(seconds=-1))}"
    assert (await stranger.get(link)).status_code == 404
    assert (await stranger.post(link, data=NEW_ADMIN)).status_code == 404


async def test_an_email_that_is_taken_leaves_the_link_unspent(
    stranger: AsyncClient, worker: Connection, member: str
) -> None:
    link = f"{INVITATION_PATH}/{await invite(worker, Role.VIEWER, timedelta(hours=1))}"
    refused = await stranger.post(link, data=NEW_ADMIN | {"email": member.upper()})
    assert refused.status_code == 422
    assert "is here already" in refused.text
    assert (await stranger.post(link, data=NEW_ADMIN)).status_code == 303


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"email": "nobody"}, "Write an e-mail address"),
        ({"email": "a@b@c"}, "Write an e-mail address"),
        ({"name": "   "}, "Write your name"),
        ({"password": "elevenchars"}, "at least 12 characters"),
        ({"password": "first@example.com"}, "your name or e-mail"),
    ],
)
async def test_what_is_missing_is_said_at_its_field(
    stranger: AsyncClient, worker: Connection, change: dict[str, str], sentence: str
) -> None:
    link = f"{INVITATION_PATH}/{await invite(worker, Role.ADMIN, timedelta(hours=1))}"
    answer = await stranger.post(link, data=NEW_ADMIN | change)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert PASSWORD not in answer.text


@pytest.mark.parametrize(
    "password", ["short", "Password1234!", "123456789012", "aaaaaaaaaaaab", "Qwertyuiop12", "x" * 201, "member@work-1"]
)
def test_passwords_that_are_guessed_first_are_refused(password: str) -> None:
    assert find_weakness(password, email="member@work.example", name="") is not None


def test_a_few_words_in_a_row_are_a_good_password() -> None:
    assert find_weakness(PASSWORD, email="member@work.example", name="Some Body") is None


async def test_email_and_password_let_somebody_in_and_lead_back(stranger: AsyncClient, member: str) -> None:
    asked = await stranger.get("/log?status=failed")
    assert asked.headers["location"] == "/sign-in?next=%2Flog%3Fstatus%3Dfailed"
    done = await sign_in(stranger, member.upper(), PASSWORD, next="/log?status=failed")
    assert (done.status_code, done.headers["location"]) == (303, "/log?status=failed")
    assert (await stranger.get("/log")).status_code == 200


async def test_a_wrong_password_and_an_unknown_email_read_the_same(stranger: AsyncClient, member: str) -> None:
    wrong = await sign_in(stranger, member, "not the password")
    unknown = await sign_in(stranger, "nobody@example.com", "not the password")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace(member, "") == unknown.text.replace("nobody@example.com", "")


class CountingHasher(PasswordHasher):
    """Argon2 that counts how often it was made to work."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # noqa: A002
        self.verified += 1
        return super().verify(hash, password)


async def test_an_unknown_email_costs_as_much_work_as_a_known_one() -> None:
    hasher = CountingHasher()
    passwords = Passwords(hasher)
    assert not await passwords.check(PASSWORD, None)
    assert hasher.verified == 1
    assert await passwords.check(PASSWORD, await passwords.hash(PASSWORD))
    assert hasher.verified == 2


async def test_a_damaged_hash_lets_nobody_in(stranger: AsyncClient, worker: Connection) -> None:
    await add_user(worker, Role.ADMIN, "damaged@example.com", "not a hash")
    assert (await sign_in(stranger, "damaged@example.com", "not a hash")).status_code == 401


async def test_a_hash_of_weaker_settings_is_renewed_at_sign_in(stranger: AsyncClient, worker: Connection) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    await add_user(worker, Role.VIEWER, "old@example.com", weak)
    assert (await sign_in(stranger, "old@example.com", PASSWORD)).status_code == 303
    row = await fetch_one(worker, "select password_hash from zohosync.console_user")
    assert row is not None
    assert not PasswordHasher().check_needs_rehash(row["password_hash"])


async def test_five_failures_stop_an_email_for_a_quarter_of_an_hour(
    stranger: AsyncClient, worker: Connection, member: str
) -> None:
    for _ in range(5):
        assert (await sign_in(stranger, member, "not the password")).status_code == 401
    stopped = await sign_in(stranger, member.upper(), PASSWORD)
    assert stopped.status_code == 429
    assert "Wait 15 minutes" in stopped.text
    assert 0 < int(stopped.headers["retry-after"]) <= 900
    await worker.execute("update zohosync.sign_in_attempt set attempted_at = attempted_at - interval '16 min'")
    assert (await sign_in(stranger, member, PASSWORD)).status_code == 303


async def test_many_guesses_at_once_do_not_slip_past(stranger: AsyncClient, member: str) -> None:
    answers = await asyncio.gather(*(sign_in(stranger, member, f"guess number {n}") for n in range(10)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 5


async def test_twenty_failures_stop_an_address(stranger: AsyncClient, member: str, worker: Connection) -> None:
    await worker.execute(
        """insert into zohosync.sign_in_attempt (subject)
           select 'address:127.0.0.1' from generate_series(1, 20)"""
    )
    assert (await sign_in(stranger, member, PASSWORD)).status_code == 429


async def test_a_right_password_clears_the_failures_before_it(stranger: AsyncClient, member: str) -> None:
    for _ in range(2):
        for _ in range(4):
            assert (await sign_in(stranger, member, "not the password")).status_code == 401
        assert (await sign_in(stranger, member, PASSWORD)).status_code == 303


def test_an_ipv6_network_counts_as_one_address() -> None:
    first = throttle_subjects("A@b.example", "2001:db8::1")
    assert first == throttle_subjects("a@B.example", "2001:db8::ffff:2")
    assert throttle_subjects("a@b.example", "no address")["address:no address"] == 20


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(stranger: AsyncClient, member: str) -> None:
    cookie = (await sign_in(stranger, member, PASSWORD)).headers["set-cookie"]
    assert cookie.startswith("zohosync_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie


async def test_behind_tls_the_cookie_is_secure_and_tied_to_its_host(pool: Pool, member: str) -> None:
    settings = Settings(_env_file=None, console_url="https://console.example.com")
    app = create_app(Console(pool, settings, SystemClock()))
    async with AsyncClient(transport=ASGITransport(app), base_url="https://console.example.com") as browser:
        answer = await sign_in(browser, member, PASSWORD)
        assert answer.headers["set-cookie"].startswith("__Host-zohosync=")
        assert "Secure" in answer.headers["set-cookie"]
        assert "max-age" in answer.headers["strict-transport-security"]
        assert (await browser.get("/log")).status_code == 200


async def test_only_a_digest_of_the_session_is_stored(stranger: AsyncClient, member: str, worker: Connection) -> None:
    await sign_in(stranger, member, PASSWORD)
    token = stranger.cookies["zohosync_session"]
    row = await fetch_one(worker, "select token_hash from zohosync.console_session")
    assert row is not None
    assert bytes(row["token_hash"]) == hashlib.sha256(token.encode()).digest()


async def test_signing_out_ends_the_session_in_the_database(operator: Person, worker: Connection) -> None:
    token = operator.browser.cookies["zohosync_session"]
    assert (await operator.post("/sign-out")).headers["location"] == "/sign-in"
    assert await find_session(worker, token) is None
    operator.browser.cookies.set("zohosync_session", token)
    assert (await operator.get("/log")).status_code == 303


@pytest.mark.parametrize(
    "ended",
    [
        "update zohosync.console_session set expires_at = now()",
        "update zohosync.console_user set disabled_at = now()",
        "delete from zohosync.console_session",
    ],
)
async def test_a_session_that_ended_asks_to_sign_in(operator: Person, worker: Connection, ended: str) -> None:
    await worker.execute(ended.encode())
    assert (await operator.get("/log")).headers["location"] == "/sign-in?next=%2Flog"
    assert (await operator.get("/log?partial=rows")).status_code == 401
    assert (await operator.get("/live")).status_code == 401


async def test_a_taken_back_role_counts_at_once(enter: Enter, worker: Connection) -> None:
    person = await enter(Role.OPERATOR)
    await worker.execute("update zohosync.console_user set role = 'viewer'")
    assert (await person.post("/operations/1/retry")).status_code == 403


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}]
)
async def test_a_form_of_another_site_is_refused_also_before_sign_in(
    stranger: AsyncClient, member: str, headers: dict[str, str]
) -> None:
    answer = await stranger.post("/sign-in", data={"email": member, "password": PASSWORD}, headers=headers)
    assert answer.status_code == 403


async def test_a_form_of_this_site_is_accepted(stranger: AsyncClient, member: str) -> None:
    form = {"email": member, "password": PASSWORD}
    answer = await stranger.post("/sign-in", data=form, headers={"Origin": "http://console.test"})
    assert answer.status_code == 303


async def test_a_form_without_end_is_refused(stranger: AsyncClient) -> None:
    assert (await sign_in(stranger, "a@example.com", "x" * 100_000)).status_code == 413


async def test_letters_no_database_holds_are_left_out(stranger: AsyncClient) -> None:
    assert (await sign_in(stranger, "nul\x00@example.com", "\x00")).status_code == 401


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)", "", None,
     "log", "/\n/evil.example", "\\\\evil.example", "/" + "x" * 3000],
)  # fmt: skip
def test_nobody_is_led_to_another_site(wanted: str | None) -> None:
    assert safe_path(wanted) == "/log"


@given(st.text(alphabet="/\\:?#@.aé \t\n", max_size=12))
def test_whatever_it_is_given_a_way_back_stays_here(wanted: str) -> None:
    path = safe_path(wanted)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert not any(character in path for character in "\\\t\n ")


def test_a_path_of_the_console_is_kept() -> None:
    assert safe_path("/log?status=failed&q=a%20b#op-7") == "/log?status=failed&q=a%20b#op-7"


async def test_the_login_page_is_reached_with_a_hostile_way_back(stranger: AsyncClient, database: Database) -> None:
    page = await stranger.get('/sign-in?next=//evil.example/"><script>')
    assert "evil" not in page.text
