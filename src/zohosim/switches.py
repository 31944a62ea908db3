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
        "books_payment_webhook_node",
        "payment",
        ("payment", "customerpayment"),
        "the name a payment has in the body of a webhook",
        f"{BOOKS}/webhooks/",
    ),
    Switch(
        "books_missing_status",
        404,
        (404, 400),
        "status of code 1002 for a record that is not there",
        f"{BOOKS}/errors/",
    ),
    Switch(
        "books_documents_move_actual_stock",
        False,
        YES_NO,
        "invoices and credit notes move actual_available_stock too, as without shipments they might",
        "https://www.zoho.com/us/inventory/kb/items/stock-tracking-mode.html",
    ),
    Switch(
        "books_stock_touches_item",
        False,
        YES_NO,
        "a movement of stock changes the last_modified_time of its item",
        f"{BOOKS}/items/#list-items",
    ),
    Switch(
        "books_more_gst_treatments",
        True,
        YES_NO,
        "gst_treatment also takes the values that only programs were seen to send (business_sez, deemed_export ...)",
        f"{BOOKS}/contacts/#create-a-contact",
    ),
    Switch(
        "books_gstin_check",
        "form",
        ("form", "checksum", "none"),
        "what of a GSTIN is looked at: 2 digits and 13 letters, its last letter too, or nothing",
        f"{BOOKS}/contacts/#create-a-contact",
    ),
    Switch(
        "books_gstin_matches_place",
        False,
        YES_NO,
        "a GSTIN of another state than place_of_contact is refused",
        f"{BOOKS}/contacts/#create-a-contact",
    ),
    Switch(
        "books_registered_need_gstin",
        True,
        YES_NO,
        "a registered business without gst_no is refused",
        f"{BOOKS}/contacts/#create-a-contact",
    ),
    Switch(
        "books_contact_rows_have_gst",
        True,
        YES_NO,
        "lists of contacts tell gst_no, gst_treatment and place_of_contact",
        f"{BOOKS}/contacts/#list-contacts",
    ),
    Switch(
        "books_top_level_person",
        False,
        YES_NO,
        "first_name, email and the like beside contact_name make a primary contact person; false: they are ignored",
        f"{BOOKS}/contacts/#create-a-contact",
    ),
    Switch(
        "books_omitted_persons",
        "removed",
        ("removed", "kept"),
        "what becomes of contact persons that an update leaves out of its array",
        f"{BOOKS}/contacts/#update-a-contact",
    ),
    Switch(
        "books_tax_rounding",
        "item_level",
        ("item_level", "entity_level"),
        "tax is rounded for each line, or once for each tax of a document (an organisation chooses)",
        f"{BOOKS}/invoices/",
    ),
    Switch(
        "books_group_rounding",
        "component",
        ("component", "group"),
        "CGST and SGST are rounded each by itself, or halved from their rounded sum",
        f"{BOOKS}/taxes/",
    ),
    Switch(
        "books_inclusive_extraction",
        "tax_first",
        ("tax_first", "net_first"),
        "from prices with tax, the tax is rounded and the rest is net, or the other way round",
        f"{BOOKS}/invoices/",
    ),
    Switch(
        "books_inclusive_item_total",
        "net",
        ("net", "gross"),
        "item_total and sub_total of a document whose prices contain the tax",
        f"{BOOKS}/invoices/",
    ),
    Switch(
        "books_transaction_rounding",
        "no_rounding",
        ("no_rounding", "nearest_whole", "nearest_increment"),
        "what totals are rounded to (an organisation chooses)",
        f"{BOOKS}/invoices/",
    ),
    Switch(
        "books_rounding_increment_paise",
        5,
        (),
        "the increment of nearest_increment",
        f"{BOOKS}/invoices/",
    ),
    Switch(
        "books_tax_total_with_shipping",
        True,
        YES_NO,
        "tax_total contains the tax of shipping",
        f"{BOOKS}/invoices/",
    ),
    Switch(
        "books_taxes_with_id",
        False,
        YES_NO,
        "entries of taxes[] carry a tax_id beside name and amount",
        f"{BOOKS}/invoices/",
    ),
    Switch(
        "books_bare_discount",
        "amount",
        ("amount", "percent"),
        "a discount without % is an amount, or up to 100 percent",
        f"{BOOKS}/invoices/#create-an-invoice",
    ),
    Switch(
        "books_rate_rounding",
        True,
        YES_NO,
        "rates are rounded to two decimals before they are multiplied",
        f"{BOOKS}/invoices/#create-an-invoice",
    ),
    Switch(
        "books_item_default_tax",
        True,
        YES_NO,
        "a line without a tax gets the one its item prefers; false: code 110802",
        f"{BOOKS}/invoices/#create-an-invoice",
    ),
    Switch(
        "books_duplicate_number_code",
        1001,
        (),
        "code for a document number that is taken",
        f"{BOOKS}/invoices/#create-an-invoice",
    ),
    Switch(
        "books_invoices_may_oversell",
        True,
        YES_NO,
        "an invoice may be sent for more than is in stock; false: code 9205",
        f"{BOOKS}/items/",
    ),
    Switch(
        "books_sent_twice",
        "accept",
        ("accept", "refuse"),
        "an invoice that was sent is marked as sent once more",
        f"{BOOKS}/invoices/#mark-an-invoice-as-sent",
    ),
    Switch(
        "books_void_draft",
        "refuse",
        ("refuse", "accept"),
        "a draft is marked as void",
        f"{BOOKS}/invoices/#void-an-invoice",
    ),
    Switch(
        "books_edit_paid",
        "refuse",
        ("refuse", "accept"),
        "the total of a paid invoice is changed",
        f"{BOOKS}/invoices/#update-an-invoice",
    ),
    Switch(
        "books_payment_on_draft",
        "refuse",
        ("refuse", "accept"),
        "a payment for a draft; accept: it becomes sent",
        f"{BOOKS}/customer-payments/#create-a-payment",
    ),
    Switch(
        "books_payment_before_invoice",
        "refuse",
        ("refuse", "accept"),
        "a payment dated before its invoice",
        f"{BOOKS}/customer-payments/#create-a-payment",
    ),
    Switch(
        "books_advance_payments",
        True,
        YES_NO,
        "a payment may name no invoice and stay unused",
        f"{BOOKS}/customer-payments/#create-a-payment",
    ),
    Switch(
        "books_payment_put_replaces",
        True,
        YES_NO,
        "the invoices of an updated payment replace those it had; false: they are added",
        f"{BOOKS}/customer-payments/#update-a-payment",
    ),
    Switch(
        "books_conversion_refusal",
        "plain",
        ("plain", "nested"),
        "how /invoices/fromestimates refuses: in the open, or inside an answer of code 0",
        f"{BOOKS}/estimates/",
    ),
    Switch(
        "books_estimate_becomes_invoiced",
        True,
        YES_NO,
        "an invoice that names an estimate makes it invoiced",
        f"{BOOKS}/invoices/#create-an-invoice",
    ),
    Switch(
        "books_credit_lines_apply",
        False,
        YES_NO,
        "a credit note whose lines name an invoice is applied to it by itself",
        f"{BOOKS}/credit-notes/#create-a-credit-note",
    ),
    Switch(
        "books_adjustments_may_oversell",
        False,
        YES_NO,
        "an inventory adjustment may leave less than nothing at a location; false: it is refused with 9205",
        "https://www.zoho.com/inventory/api/v1/inventoryadjustments/",
    ),
    Switch(
        "books_sku_filter",
        "honoured",
        ("honoured", "ignored"),
        "GET /items of Books knows the parameter sku, as the one of Inventory does",
        f"{BOOKS}/items/#list-items",
    ),
    Switch("books_sku_ignores_case", True, YES_NO, "a sku that differs in case only is taken", f"{BOOKS}/items/"),
    Switch(
        "books_inactive_items_hold_names",
        False,
        YES_NO,
        "an inactive item keeps its name from others, as an inactive contact does",
        f"{BOOKS}/items/#create-an-item",
    ),
    Switch(
        "books_duplicate_item_names",
        False,
        YES_NO,
        "items may share a name, as a preference of newer organisations allows",
        f"{BOOKS}/items/#create-an-item",
    ),
    Switch(
        "books_item_update_needs_name_and_rate",
        False,
        YES_NO,
        "an update of an item without name and rate is refused, as the files say",
        f"{BOOKS}/items/#update-an-item",
    ),
    Switch(
        "books_opening_stock_needs_rate",
        False,
        YES_NO,
        "opening stock without a rate above nothing is refused",
        f"{BOOKS}/items/#create-an-item",
    ),
    Switch(
        "books_hsn_check",
        False,
        YES_NO,
        "hsn_or_sac must have 4, 6 or 8 digits",
        f"{BOOKS}/items/#create-an-item",
    ),
    Switch(
        "books_state_tax_ids",
        False,
        YES_NO,
        "items also take intra_state_tax_id and inter_state_tax_id; false: they are ignored",
        f"{BOOKS}/items/#create-an-item",
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
