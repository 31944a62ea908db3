"""No personal data and no secret passes the mask, wherever it stands; ids and times pass unharmed."""

import string
from base64 import urlsafe_b64encode
from datetime import UTC

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from zohosync.cli.masking import MOST_CHARACTERS, mask_event, mask_text

WORDS = st.sampled_from(["", "sent to ", "refused: ", "for ", "(", "record=", "value: "])
ENDS = st.sampled_from(["", " twice", ".", ", then stopped", ")", "\n  next line"])
ALNUM = string.ascii_lowercase + string.digits
HEX = "0123456789abcdef"

emails = st.builds(
    "{}{}@{}.{}".format,
    st.sampled_from("abcdxyzé"),
    st.text(ALNUM + "._%+-é", min_size=3, max_size=20),
    st.text(ALNUM, min_size=2, max_size=12),
    st.sampled_from(["com", "in", "co.in", "example"]),
)
phones = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["", "+91", "+91 ", "0", "+91-"]),
    st.from_regex(r"[6-9]\d{4}", fullmatch=True),
    st.sampled_from(["", " ", "-"]),
    st.from_regex(r"\d{3}", fullmatch=True),
    st.from_regex(r"\d{2}", fullmatch=True),
)
gstins = st.from_regex(r"[0-3]\d[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]", fullmatch=True)
tokens = st.builds("1000.{}.{}".format, st.text(HEX, min_size=32, max_size=32), st.text(HEX, min_size=32, max_size=32))
fernet_keys = st.binary(min_size=32, max_size=32).map(lambda key: urlsafe_b64encode(key).decode())
passwords = st.text(string.ascii_letters + string.digits + "-_.!$", min_size=8, max_size=30)
names = st.builds("{} {}".format, st.sampled_from(["Demo", "Seva", "Örn"]), st.sampled_from(["Customer", "Traders"]))


def spoken(planted: SearchStrategy[str]) -> SearchStrategy[tuple[str, str]]:
    """What is planted, and a sentence that holds it."""
    return st.builds(lambda before, what, after: (what, f"{before}{what}{after}"), WORDS, planted, ENDS)


@given(spoken(st.one_of(emails, gstins, tokens, fernet_keys)))
def test_what_is_planted_never_leaves(case: tuple[str, str]) -> None:
    planted, sentence = case
    assert planted not in mask_text(sentence)
    assert planted not in str(mask_event({"event": "x", "problem": sentence, "deep": [{"more": (sentence,)}]}))


@given(spoken(phones))
def test_a_phone_number_keeps_two_digits(case: tuple[str, str]) -> None:
    planted, sentence = case
    digits = "".join(filter(str.isdigit, planted))
    left = "".join(filter(str.isdigit, mask_text(sentence)))
    assert left == digits[-2:]


@given(passwords)
def test_a_password_never_leaves(password: str) -> None:
    forms = (
        f"postgresql://worker:{password}@db.example.com:5432/postgres",
        f"host=db password={password} user=worker",
        f"client_secret={password}&code=x",
        f'{{"client_secret": "{password}"}}',
        f"ZOHOSYNC_METRICS_TOKEN={password}",
        f"Authorization: Zoho-oauthtoken {password}",
        f"Bearer {password}",
    )
    for form in forms:
        assert password not in mask_text(f"cannot use {form} today")


@given(st.text(min_size=1), st.sampled_from(["client_secret", "refresh_token", "PASSWORD", "authorization"]))
def test_a_field_that_is_named_secret_is_hidden_whatever_it_holds(value: str, name: str) -> None:
    assert mask_event({"event": "x", "login": {name: value}})["login"][name] == "***"
    assert mask_event({name: value.encode(errors="replace")})[name] == "***"


@given(names)
def test_a_name_that_a_sentence_quotes_is_hidden(name: str) -> None:
    for sentence in (
        f"The Account {name!r} is just being made for another customer.",
        f'invalid input syntax for type uuid: "{name}"',
        f"Something unforeseen happened: KeyError: {name!r}",
    ):
        assert name not in mask_text(sentence)


@given(names, emails)
def test_fields_of_records_are_hidden_by_their_names(name: str, email: str) -> None:
    record = {"Last_Name": name, "Company": name, "Email": email, "Phone": 919840012345, "Mailing_Street": name}
    told = str(mask_event({"event": "x", "label": email, "record": record}))
    assert name not in told
    assert email not in told
    assert "919840012345" not in told


ids = st.one_of(
    st.from_regex(r"[1-9]\d{17,18}", fullmatch=True),
    st.uuids().map(str),
    st.integers(1, 999_999_999).map(lambda number: f"operation {number}"),
    st.integers(1, 999_999_999).map(lambda number: f"#{number}"),
    st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat()),
    st.datetimes().map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"),
    st.datetimes().map(lambda at: f"{at:%Y-%m-%d %H:%M:%S}"),
    st.sampled_from(["crm.contact.push", "zoho_invalid_data", "INVALID_DATA", "shop-1:4711", "took 0.123456789 s"]),
)


@given(ids, st.sampled_from(["{}", "of {}", "'{}'", "id {}, then", "({})"]))
def test_ids_and_times_pass_unharmed(value: str, form: str) -> None:
    text = form.format(value)
    if value.startswith(("operation ", "took ")):
        text = value
    assert mask_text(text) == text
    assert mask_event({"event": "x", "thing": text})["thing"] == text


@pytest.mark.parametrize(
    ("written", "logged"),
    [
        ("Zoho's answer isn't one", "Zoho's answer isn't one"),
        ('column "zoho_crm_id" of relation "users"', 'column "zoho_crm_id" of relation "users"'),
        (
            "DETAIL:  Failing row contains (7, Demo, Customer, 12 Mango Street).",
            "DETAIL:  Failing row contains (***).",
        ),
        ("Key (email)=(a b) already exists.", "Key (email)=(***) already exists."),
        ("PAN of 33AAACZ0001Z1Z0", "PAN of 33***"),
        ("call (044) 2345 67890 now", "call (***) **** ***90 now"),
        ("The Account 'Demo Traders' is made", "The Account '***' is made"),
        ("module 'Contacts_X' of 'crm.contact.push'", "module '***' of 'crm.contact.push'"),
    ],
)
def test_sentences_stay_readable(written: str, logged: str) -> None:
    assert mask_text(written) == logged


@pytest.mark.parametrize(
    ("written", "logged"),
    [
        ("98 123 000 77", "** *** *** 77"),
        ("9812 3000 77", "**** **** 77"),
        ("98123.00077", "*****.***77"),
        ("+91/98123/00077", "+**/*****/***77"),
        ("phone:9812300077: bad", "phone:********77: bad"),
        ("2026-11-22 98123 00077 at 10:00", "2026-11-22 ***** ***77 at 10:00"),
        ("of 554023000001000001 98123 00077", "of 554023000001000001 ***** ***77"),
        ("98123 00077 10:30", "***** ***77 10:30"),
    ],
)
def test_a_phone_number_is_covered_wherever_people_part_it(written: str, logged: str) -> None:
    assert mask_text(written) == logged


@pytest.mark.parametrize(
    "text",
    [
        "operation_id 1234567890 is gone",
        "operation_id=1234567890, then",
        "'operation_id': 1234567890",
        "operation 1234567890 waits",
        "organisation 60012345678 is connected",
        "say so: --organisation 60012345678",
        "ids 12345678901",
        "from 192.168.100.200 to 10.0.0.12:5432",
        "12345678-1234-1234-1234-123456789012",
    ],
)
def test_what_is_told_as_an_id_survives(text: str) -> None:
    assert mask_text(text) == text


def test_a_field_that_is_named_an_id_keeps_its_number() -> None:
    event = {"event": "x", "organisation_id": "60012345678", "of": {"id": "1234567890", "user_ids": ["1234567890"]}}
    assert mask_event(event) == event
    assert mask_event({"event": "x", "record_id": "demo@example.com"})["record_id"] == "d***@example.com"
    assert mask_event({"event": "x", "value": "1234567890"})["value"] == "********90"


@pytest.mark.parametrize(
    ("written", "logged"),
    [
        ("The Account 'acme.co' is made", "The Account '***' is made"),
        ("The Account 'demo_traders' is made", "The Account '***' is made"),
        ("The Account 'DEMO_TRADERS' is made", "The Account '***' is made"),
        ('The Account "demo" is made', 'The Account "***" is made'),
        ('invalid input syntax for type uuid: "demo"', 'invalid input syntax for type uuid: "***"'),
        ("The Account 'Demo's Farm' is made", "The Account '***' is made"),
        ("sent to अन्ना@उदाहरण.भारत twice", "sent to अ***@उदाहरण.भारत twice"),
        ("टेस्ट@डेमो.com", "ट***@डेमो.com"),
        ('password="no end', "password=***"),
        ("Key (lower(email))=(a) b) already exists.", "Key (lower(email))=(***) already exists."),
        ("Key (note)=(one\ntwo) already exists.", "Key (note)=(***) already exists."),
        ("Partition key of the failing row contains (day) = (Demo", "Partition key of the failing row contains (***)"),
    ],
)
def test_values_that_look_like_words_of_the_program_are_hidden(written: str, logged: str) -> None:
    assert mask_text(written) == logged


@pytest.mark.parametrize(
    "text",
    [
        'duplicate key value violates unique constraint "users_email_key"',
        'password authentication failed for user "zohosync_worker"',
        'permission denied: role "anon", table "b2b_quotes"',
        "stream 'crm.contact.push' of lane people",
        "Zoho said 'DUPLICATE_DATA' and 'NOT_APPROVED'",
        "worker 'shop-1:4711' with 'ZOHOSYNC_DATABASE_URL'",
    ],
)
def test_words_of_the_program_stay_readable_in_quotes(text: str) -> None:
    assert mask_text(text) == text


# --- long texts

UNITS = (
    "_", "a", "A_B", "1 ", "1", "a@", "a.", "'", '"', "\\", " '", "://", "://a:", "token", "gAAAA", "Key (",
    "Key (a)=(", "failing row contains (", "1000.aaaaaa", "Bearer ", "id ", "(", "NO_", "1.1.",
)  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_a_long_text_is_cut_before_it_is_looked_through(unit: str) -> None:
    """So that no text, however it is made, takes longer than a few thousand characters do."""
    text = unit * (1_000_000 // len(unit))
    masked = mask_text(text)
    assert len(masked) <= MOST_CHARACTERS + 40
    assert masked.endswith(" characters cut)")
    told = mask_event({"event": "x", "problem": text, "deep": [text]})
    assert told["problem"] == told["deep"][0] == masked


def test_only_a_long_text_is_cut() -> None:
    text = "fine " * (MOST_CHARACTERS // 5)
    assert len(text) == MOST_CHARACTERS
    assert mask_text(text) == text
    assert mask_text(text + "and more") == text.rstrip() + " … (9 characters cut)"


@pytest.mark.parametrize(
    ("planted", "readable"),
    [
        ("demo.customer@example.com", "demo."),
        ("+91 98123 00077", "98123"),
        ("'Demo Traders of Pune'", "Demo Traders"),
        ("1000.0123456789abcdef.0123456789abcdef", "01234567"),
        ('password="Demo Pass Word"', "Demo Pass"),
        ("Key (email)=(Demo Traders) already exists.", "Demo"),
        ("Failing row contains (7, (Pvt) Demo, 12 Mango Street)", "Demo"),
    ],
)
def test_no_half_of_a_secret_is_left_where_a_text_is_cut(planted: str, readable: str) -> None:
    for start in range(MOST_CHARACTERS - len(planted) - 1, MOST_CHARACTERS + 1):
        text = "x " * (start // 2) + "y " * (start % 2) + planted + " and on" * 100
        assert readable not in mask_text(text)


def test_what_fernet_sealed_is_hidden() -> None:
    sealed = Fernet(Fernet.generate_key()).encrypt(b"a refresh token").decode()
    assert sealed not in mask_text(f"cannot open {sealed} with any key")


def test_numbers_and_truths_keep_their_types() -> None:
    event = {"event": "operation.ended", "operation_id": 7, "seconds": 0.25, "listening": True, "error_code": None}
    assert mask_event(event) == event


def test_what_is_not_json_becomes_masked_text() -> None:
    told = mask_event({"event": "x", "error": ValueError("bad demo@example.com"), "of": {(3, 1): {1, 2}}})
    assert told["error"] == "ValueError('***')"
    assert told["of"] == {"(3, 1)": [1, 2]}
