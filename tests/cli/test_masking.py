"""No personal data and no secret passes the mask, wherever it stands; ids and times pass unharmed."""

import string
from base64 import urlsafe_b64encode
from datetime import UTC

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from zohosync.cli.masking import mask_event, mask_text

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
