"""The switches: behaviours that Zoho's documentation leaves open, each with the default we took."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BOOKS = "https://www.zoho.com/books/api/v3"
API = "https://www.zoho.com/crm/developer/docs/api/v8"
OAUTH = "https://www.zoho.com/accounts/protocol/oauth"


@dataclass(frozen=True, slots=True)
class Switch:
    """`choices` is empty for numbers; `source` is the page that comes nearest to settling it."""

    name: str
    default: Any
    choices: tuple[Any, ...]
    meaning: str
    source: str

    def accepts(self, value: object) -> bool:
        if self.choices:
            return any(value is choice or (value == choice and type(value) is type(choice)) for choice in self.choices)
        return isinstance(value, int) and not isinstance(value, bool) and value > 0


YES_NO = (True, False)

SWITCHES: tuple[Switch, ...] = (
    Switch(
        "consent_page",
        True,
        YES_NO,
        "false: /oauth/v2/auth redirects at once, as if Accept were pressed",
        f"{OAUTH}/web-apps/authorization.html",
    ),
    Switch(
        "callback_trailing_ampersand",
        True,
        YES_NO,
        "the callback address ends in &",
        f"{OAUTH}/multi-dc/client-authorization.html",
    ),
    Switch(
        "code_lifetime_seconds",
        120,
        (),
        "how long a grant code lives (120; 60 in other products' pages)",
        f"{OAUTH}/web-apps/authorization.html",
    ),
    Switch(
        "live_access_tokens",
        10,
        (),
        "live access tokens per refresh token before the oldest is evicted (10, 15 or 30)",
        f"{OAUTH}/web-apps/access-token-expiry.html",
    ),
    Switch(
        "refresh_tokens_per_user",
        20,
        (),
        "refresh tokens per user and client before the oldest is deleted",
        f"{OAUTH}/web-apps/access-token.html",
    ),
    Switch(
        "throttle_status",
        400,
        (400, 200),
        "HTTP status of the token endpoint's Access Denied answer",
        f"{OAUTH}/web-apps/access-token-expiry.html",
    ),
    Switch(
        "token_answer_has_scope",
        True,
        YES_NO,
        "the code exchange answers with the granted scope",
        f"{OAUTH}/web-apps/access-token.html",
    ),
    Switch(
        "revoke_kills_access_tokens",
        True,
        YES_NO,
        "revoking a refresh token ends its access tokens at once",
        f"{OAUTH}/web-apps/revoke-tokens.html",
    ),
    Switch(
        "throttle_counts_per",
        "refresh_token",
        ("refresh_token", "client"),
        "what ten access tokens in ten minutes are counted for",
        f"{OAUTH}/web-apps/access-token-expiry.html",
    ),
    Switch(
        "scopes_ignore_case",
        True,
        YES_NO,
        "a scope granted in other letters than documented counts",
        f"{API}/scopes.html",
    ),
    Switch("bearer_scheme", False, YES_NO, "CRM also takes `Authorization: Bearer`", f"{API}/oauth-overview.html"),
    Switch(
        "whole_request_errors",
        "flat",
        ("flat", "data"),
        "a refused request answers flat, or wrapped in data[]",
        f"{API}/status-codes.html",
    ),
    Switch(
        "upsert_insert_status",
        200,
        (200, 201),
        "status of an upsert that inserted and refused nothing",
        f"{API}/upsert-records.html",
    ),
    Switch(
        "mixed_status",
        207,
        (207, 200),
        "status of a write with both accepted and refused records (sandboxes answer 200)",
        f"{API}/insert-records.html",
    ),
    Switch(
        "duplicate_choice",
        "oldest",
        ("oldest", "newest"),
        "which of several records with one system key an upsert updates",
        f"{API}/upsert-records.html",
    ),
    Switch(
        "email_ignores_case",
        True,
        YES_NO,
        "an upsert takes two spellings of an e-mail that differ in case for one",
        f"{API}/upsert-records.html",
    ),
    Switch(
        "same_key_in_batch",
        "in_order",
        ("in_order", "refuse_second"),
        "two records with one key in one upsert: the second updates the first, or is DUPLICATE_DATA",
        f"{API}/upsert-records.html",
    ),
    Switch(
        "upsert_update_needs_mandatory",
        False,
        YES_NO,
        "an upsert that updates is refused when it leaves mandatory fields out",
        f"{API}/upsert-records.html",
    ),
    Switch(
        "bad_duplicate_check_field",
        "refuse_request",
        ("refuse_request", "refuse_records", "ignore"),
        "a field of duplicate_check_fields is not unique: the request or each record is refused, or it is ignored",
        f"{API}/upsert-records.html",
    ),
    Switch(
        "oversized_batch_code",
        "INVALID_DATA",
        ("INVALID_DATA", "LIMIT_EXCEEDED"),
        "code for more than 100 records in one call",
        f"{API}/insert-records.html",
    ),
    Switch(
        "unknown_keys",
        "ignore",
        ("ignore", "reject"),
        "keys of a record that name no field",
        f"{API}/insert-records.html",
    ),
    Switch(
        "unknown_keys_with_layout",
        "ignore",
        ("ignore", "reject"),
        "the same, when the record names its Layout",
        f"{API}/upsert-records.html",
    ),
    Switch(
        "trim_strings",
        False,
        YES_NO,
        "spaces around a text are cut off when it is stored",
        f"{API}/insert-records.html",
    ),
    Switch(
        "emoji",
        "store",
        ("store", "strip", "reject"),
        "what happens to letters of four bytes",
        f"{API}/insert-records.html",
    ),
    Switch(
        "owner_by_email",
        True,
        YES_NO,
        "an owner may be given by e-mail instead of id",
        f"{API}/insert-records.html",
    ),
    Switch(
        "converted_lead_code",
        "INVALID_DATA",
        ("INVALID_DATA", "ID_ALREADY_CONVERTED"),
        "code for an update of a lead that was converted",
        f"{API}/convert-lead.html",
    ),
    Switch(
        "report_all_errors",
        False,
        YES_NO,
        "all wrong fields of a record are told, as MULTIPLE_OR_MULTI_ERRORS",
        f"{API}/insert-records.html",
    ),
    Switch(
        "read_only_fields",
        "ignore",
        ("ignore", "reject"),
        "what happens to values sent for fields that cannot be written",
        f"{API}/insert-records.html",
    ),
    Switch(
        "empty_string_clears",
        False,
        YES_NO,
        "an empty string clears e-mail, phone and website fields instead of being invalid",
        f"{API}/insert-records.html",
    ),
    Switch(
        "phone_parentheses", False, YES_NO, "phone numbers with parentheses are valid", f"{API}/insert-records.html"
    ),
    Switch(
        "lookup_by_name",
        "reject",
        ("reject", "find_or_create"),
        "a lookup given as text or as {name} is refused, or finds or creates the record",
        f"{API}/insert-records.html",
    ),
    Switch(
        "unknown_id_status",
        204,
        (204, 404, 400),
        "GET of one well-formed id that does not exist",
        f"{API}/get-records.html",
    ),
    Switch(
        "unparsable_body_code",
        "UNABLE_TO_PARSE_DATA_TYPE",
        ("UNABLE_TO_PARSE_DATA_TYPE", "INVALID_REQUEST"),
        "code for a body that is not JSON",
        f"{API}/status-codes.html",
    ),
    Switch("wrong_method_status", 400, (400, 405), "status of INVALID_REQUEST_METHOD", f"{API}/status-codes.html"),
    Switch("search_criteria_limit", 10, (10, 15), "criteria allowed in one search", f"{API}/search-records.html"),
    Switch(
        "notes_need_fields",
        True,
        YES_NO,
        "listing notes without `fields` is refused, as for other modules",
        f"{API}/get-notes.html",
    ),
    Switch("fields_per_call", 5, (5, 25), "custom fields that one call may create", f"{API}/create-custom-field.html"),
    Switch(
        "unique_and_external",
        False,
        YES_NO,
        "one field may be both unique and external",
        f"{API}/create-custom-field.html",
    ),
    Switch(
        "charge_failed_calls", True, YES_NO, "a call answered with 4xx still costs credits", f"{API}/api-limits.html"
    ),
    Switch(
        "own_writes_notify",
        True,
        YES_NO,
        "writes through the API also reach notification channels",
        f"{API}/notifications/enable.html",
    ),
    Switch(
        "empty_trigger_notifies",
        True,
        YES_NO,
        "writes with `trigger: []` reach notification channels, too",
        f"{API}/notifications/enable.html",
    ),
    Switch(
        "books_expired_token_code",
        57,
        (57, 14),
        "code of Books for a token that is missing, dead or of another data centre (a missing scope is always 57)",
        f"{BOOKS}/errors/",
    ),
    Switch(
        "books_minute_window",
        "sliding",
        ("sliding", "fixed"),
        "what the calls of a minute are counted over: the last sixty seconds, or the minute of the clock",
        f"{BOOKS}/introduction/",
    ),
    Switch(
        "books_refused_calls_count",
        False,
        YES_NO,
        "a call refused with code 44 counts as one of its minute, so that asking on lengthens the block",
        f"{BOOKS}/introduction/",
    ),
    Switch(
        "books_missing_status",
        404,
        (404, 400),
        "status of code 1002 for a record that is not there",
        f"{BOOKS}/errors/",
    ),
    Switch(
        "books_custom_field_filter",
        False,
        YES_NO,
        "lists of Books filter by `cf_x=value`; false: it is ignored like any unknown parameter",
        f"{BOOKS}/invoices/#list-invoices",
    ),
    Switch(
        "books_unique_miss_status",
        404,
        (404, 400),
        "status of an update by a unique value that nothing has, without X-Upsert",
        f"{BOOKS}/contacts/#update-a-contact-using-a-custom-field-unique-value",
    ),
    Switch(
        "books_upsert_created_status",
        200,
        (200, 201),
        "status of an update by a unique value that created the record",
        f"{BOOKS}/contacts/#update-a-contact-using-a-custom-field-unique-value",
    ),
    Switch(
        "books_upsert_stores_key",
        True,
        YES_NO,
        "an upsert that creates stores the value of its header by itself",
        f"{BOOKS}/contacts/#update-a-contact-using-a-custom-field-unique-value",
    ),
)


class Switches:
    """The present position of every switch; `switches["mixed_status"]` reads one."""

    def __init__(self) -> None:
        self._known = {switch.name: switch for switch in SWITCHES}
        self._initial: dict[str, Any] = {switch.name: switch.default for switch in SWITCHES}
        self._values: dict[str, Any] = {}
        self.reset()

    def reset(self) -> None:
        self._values = dict(self._initial)

    def start_with(self, wanted: Mapping[str, object]) -> None:
        """As `set`, and a reset comes back to these positions."""
        self.set(wanted)
        self._initial.update(wanted)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def set(self, wanted: Mapping[str, object]) -> None:
        """Change some switches; ValueError names one that is unknown or takes other values."""
        for name, value in wanted.items():
            switch = self._known.get(name)
            if switch is None:
                raise ValueError(f"no switch is called {name!r}")
            if not switch.accepts(value):
                raise ValueError(f"switch {name!r} takes {list(switch.choices) or 'a positive whole number'}")
        self._values.update(wanted)

    def describe(self) -> list[dict[str, Any]]:
        return [
            {
                "name": s.name,
                "value": self._values[s.name],
                "default": s.default,
                "choices": list(s.choices),
                "meaning": s.meaning,
                "source": s.source,
            }
            for s in SWITCHES
        ]
