"""Every open question: those a probe asks, those no probe asks and why, and those of a later release."""

from zohosync.probe import books, contacts, leads, login, reads, settings
from zohosync.probe.probe import Ask, Group, Planned, Probe, Unprobed

API = "https://www.zoho.com/crm/developer/docs/api/v8"
BOOKS = "https://www.zoho.com/books/api/v3"
OAUTH = "https://www.zoho.com/accounts/protocol/oauth"


def _switch(ask: Ask, group: Group, calls: int, cost: int, page: str, question: str, makes: str = "nothing") -> Probe:
    """A probe that is named after the switch it settles."""
    source = f"{OAUTH}/{page}" if page.startswith("web-apps") else f"{API}/{page}"
    name = ask.__name__
    return Probe(name, question, group, ask, calls, cost, source, settles=name, makes=makes)


def _books(ask: Ask, calls: int, page: str, question: str, makes: str = "nothing") -> Probe:
    """A probe of Books; every call is one of its day."""
    name = ask.__name__
    return Probe(name, question, Group.BOOKS, ask, calls, calls, f"{BOOKS}/{page}", settles=name, makes=makes)


PROBES: tuple[Probe, ...] = (
    _switch(reads.bearer_scheme, Group.READS, 1, 1, "oauth-overview.html",
            "Does CRM take `Authorization: Bearer`, too?"),
    _switch(reads.whole_request_errors, Group.READS, 1, 1, "status-codes.html",
            "Is the refusal of a whole request flat, or wrapped in data[]?"),
    _switch(reads.unknown_id_status, Group.READS, 2, 2, "get-records.html",
            "Which status has the GET of an id that does not exist?"),
    _switch(reads.unparsable_body_code, Group.READS, 1, 1, "status-codes.html",
            "Which code has a body that is not JSON?"),
    _switch(reads.wrong_method_status, Group.READS, 1, 1, "status-codes.html",
            "Which status has a method that the path does not know?"),
    _switch(reads.search_criteria_limit, Group.READS, 4, 4, "search-records.html",
            "How many criteria may one search have?"),
    _switch(reads.notes_need_fields, Group.READS, 1, 1, "get-notes.html",
            "Is a listing of notes without `fields` refused?"),
    _switch(reads.fields_per_call, Group.READS, 1, 1, "create-custom-field.html",
            "How many custom fields may one call make?"),
    _switch(reads.oversized_batch_code, Group.READS, 1, 11, "insert-records.html",
            "Which code have more than 100 records in one call?"),
    Probe("field_lengths", "How long may the texts of Leads, Contacts and Accounts be?", Group.READS,
          reads.field_lengths, 3, 3, f"{API}/field-meta.html",
          informs="the lengths of zohosim's standard fields"),
    _switch(leads.upsert_insert_status, Group.LEADS, 3, 3, "upsert-records.html",
            "Which status has an upsert that inserts, alone or beside an update?", "2 Leads"),
    _switch(leads.mixed_status, Group.LEADS, 2, 2, "insert-records.html",
            "Which status has a write that is partly refused?", "1 Lead"),
    _switch(leads.report_all_errors, Group.LEADS, 1, 1, "insert-records.html",
            "Are all wrong fields of a record told, or the first?"),
    _switch(leads.read_only_fields, Group.LEADS, 2, 2, "insert-records.html",
            "Are values for read-only fields ignored, or refused?", "1 Lead"),
    _switch(leads.empty_string_clears, Group.LEADS, 4, 4, "insert-records.html",
            "Does an empty text clear a phone number, or is it invalid?", "1 Lead"),
    _switch(leads.phone_parentheses, Group.LEADS, 2, 2, "insert-records.html",
            "May a phone number have parentheses?", "1 Lead"),
    _switch(leads.email_ignores_case, Group.LEADS, 3, 3, "upsert-records.html",
            "Does an upsert compare e-mails without regard to case?", "1 or 2 Leads"),
    _switch(leads.same_key_in_batch, Group.LEADS, 2, 2, "upsert-records.html",
            "What becomes of two records with one key in one upsert?", "1 or 2 Leads"),
    _switch(leads.upsert_update_needs_mandatory, Group.LEADS, 3, 3, "upsert-records.html",
            "May an upsert that updates leave mandatory fields out?", "1 Lead"),
    _switch(leads.bad_duplicate_check_field, Group.LEADS, 2, 2, "upsert-records.html",
            "What becomes of a duplicate check field that is not unique?", "up to 2 Leads"),
    _switch(leads.unknown_keys, Group.LEADS, 2, 2, "insert-records.html",
            "Are keys that name no field ignored, or refused?", "1 Lead"),
    _switch(leads.unknown_keys_with_layout, Group.LEADS, 4, 4, "upsert-records.html",
            "The same, when the record names its layout?", "2 Leads"),
    _switch(leads.trim_strings, Group.LEADS, 3, 3, "insert-records.html",
            "Are spaces around a text cut off?", "1 Lead"),
    _switch(leads.emoji, Group.LEADS, 3, 3, "insert-records.html",
            "Are emoji stored, cut out, or refused?", "1 Lead"),
    _switch(leads.owner_by_email, Group.LEADS, 3, 3, "insert-records.html",
            "May an owner be given by e-mail?", "1 Lead"),
    Probe("recycle_bin", "Does an upsert meet a record that was just deleted?", Group.LEADS,
          leads.recycle_bin, 4, 4, f"{API}/upsert-records.html",
          informs="what an upsert matches: zohosim never matches deleted records", makes="2 Leads"),
    _switch(contacts.duplicate_choice, Group.CONTACTS, 4, 4, "upsert-records.html",
            "Which of several Contacts with one e-mail does an upsert update?", "2 Contacts"),
    _switch(contacts.lookup_by_name, Group.CONTACTS, 6, 6, "insert-records.html",
            "Does a company given by name find or make an Account?", "2 Contacts, up to 2 Accounts"),
    _switch(contacts.converted_lead_code, Group.CONTACTS, 5, 9, "convert-lead.html",
            "Which code has the update of a converted Lead?", "1 Lead, 1 Contact"),
    _switch(settings.unique_and_external, Group.FIELDS, 2, 2, "create-custom-field.html",
            "May one field be both unique and external?", "1 custom field of Leads"),
    _books(books.books_duplicate_number_code, 11, "invoices/",
           "Which code has an invoice number that is taken?", "2 drafts, 2 customers, 2 items"),
    _books(books.books_payment_on_draft, 9, "customer-payments/",
           "Can a draft invoice be paid?", "1 draft, 1 payment, 1 customer, 1 item"),
    _books(books.books_group_rounding, 7, "taxes/",
           "Are CGST and SGST rounded each by itself, or from their sum?", "1 draft, 1 customer, 1 item"),
    _books(books.books_tax_rounding, 7, "invoices/",
           "Is tax rounded for each line, or once for the document?", "1 draft, 1 customer, 1 item"),
    _books(books.books_tax_total_with_shipping, 8, "invoices/",
           "Is the tax on shipping part of tax_total?", "1 draft, 1 customer, 1 item"),
    _books(books.books_bare_discount, 7, "invoices/",
           "Is a discount without % an amount, or percent?", "1 draft, 1 customer, 1 item"),
    _books(books.books_sku_filter, 3, "items/", "Does the listing of items filter by sku?", "1 item"),
    _books(books.books_gstin_check, 4, "contacts/",
           "How far is a GSTIN looked at: its form, its check digit, or not at all?", "up to 2 customers"),
    _books(books.books_expired_token_code, 1, "oauth/", "Which code has a dead access token?"),
    _books(books.books_missing_status, 1, "errors/", "Which status has a record that does not exist?"),
    _switch(login.token_answer_has_scope, Group.LOGIN, 0, 0, "web-apps/access-token.html",
            "Does the exchange of a code tell the granted scopes?", "1 login per code"),
    _switch(login.throttle_status, Group.LOGIN, 0, 0, "web-apps/access-token-expiry.html",
            "Which status has the refusal of an eleventh access token in ten minutes?", "up to 12 access tokens"),
    _switch(login.throttle_counts_per, Group.LOGIN, 0, 0, "web-apps/access-token-expiry.html",
            "Are access tokens counted per login, or per client? (needs two codes; if per client, the shop's own login"
            " gets none for ten minutes)", "up to 13 access tokens"),
    _switch(login.live_access_tokens, Group.LONG, 63, 63, "web-apps/access-token-expiry.html",
            "How many access tokens of one login live side by side?", "up to 31 access tokens"),
    _switch(login.revoke_kills_access_tokens, Group.LOGIN, 2, 2, "web-apps/revoke-tokens.html",
            "Does the end of a login end its access tokens at once?", "nothing; one login is ended"),
)  # fmt: skip

NEEDS_BROWSER = "it takes a person's consent in a browser for every try"
NEEDS_ADDRESS = "it needs an address that Zoho can reach from the internet"
NOT_ASKED = "zohosync makes no such call"

LEFT_OPEN: dict[str, tuple[str, ...]] = {
    "it would use up the minutes of everybody in the organisation": (
        "books_minute_window",
        "books_refused_calls_count",
    ),
    NEEDS_ADDRESS: ("books_payment_webhook_node",),
    "the organisation chooses it in its preferences": (
        "books_transaction_rounding",
        "books_rounding_increment_paise",
        "books_duplicate_item_names",
    ),
    "it moves stock, which cannot be undone without a trace": (
        "books_documents_move_actual_stock",
        "books_stock_touches_item",
        "books_invoices_may_oversell",
        "books_adjustments_may_oversell",
        "books_opening_stock_needs_rate",
    ),
    "it needs a unique custom field, which only the web page of Books makes": (
        "books_custom_field_filter",
        "books_unique_miss_status",
        "books_upsert_created_status",
        "books_upsert_stores_key",
    ),
    "the same documents arrive in every position": (
        "books_more_gst_treatments",
        "books_gstin_matches_place",
        "books_registered_need_gstin",
        "books_contact_rows_have_gst",
        "books_top_level_person",
        "books_omitted_persons",
        "books_inclusive_extraction",
        "books_inclusive_item_total",
        "books_taxes_with_id",
        "books_rate_rounding",
        "books_item_default_tax",
        "books_sent_twice",
        "books_void_draft",
        "books_edit_paid",
        "books_payment_before_invoice",
        "books_advance_payments",
        "books_payment_put_replaces",
        "books_conversion_refusal",
        "books_estimate_becomes_invoiced",
        "books_credit_lines_apply",
        "books_sku_ignores_case",
        "books_inactive_items_hold_names",
        "books_item_update_needs_name_and_rate",
        "books_hsn_check",
        "books_state_tax_ids",
    ),
}
"""Switches of Books that no probe settles, by the reason."""

NOT_PROBED: tuple[Unprobed, ...] = (
    Unprobed(
        "consent_page", "Is the consent page shown?", "a convenience of the simulator: the real one is always shown"
    ),
    Unprobed(
        "callback_trailing_ampersand",
        "Does the callback address end in an ampersand?",
        f"{NEEDS_BROWSER}; zohosync takes both",
    ),
    Unprobed(
        "code_lifetime_seconds",
        "How long does a code live?",
        f"{NEEDS_BROWSER}; a self client's code lives as long as its maker chooses",
    ),
    Unprobed(
        "refresh_tokens_per_user",
        "How many logins of one user and client live, and is the next refused instead?",
        "it takes 21 consents, and would end the logins in use",
    ),
    Unprobed(
        "scopes_ignore_case",
        "Do scopes count in other letters than documented?",
        "only Zoho's API console decides what a code is granted; zohosync asks as documented",
    ),
    Unprobed(
        "charge_failed_calls",
        "Do refused calls cost credits?",
        "Zoho tells the credits only after half of a day's are used",
    ),
    Unprobed("own_writes_notify", "Do our own writes reach notification channels?", NEEDS_ADDRESS),
    Unprobed("empty_trigger_notifies", "Does `trigger: []` silence notification channels?", NEEDS_ADDRESS),
    Unprobed("", "Are notifications sent again when they fail, and in what order?", NEEDS_ADDRESS),
    Unprobed("", "Do mass updates and imports notify for each record?", NEEDS_ADDRESS),
    Unprobed("", "Which lifetimes of a self client's code can be chosen?", "the API console shows them"),
    Unprobed(
        "", "Which error does a consent that was refused bring?", f"{NEEDS_BROWSER}; every one ends the connecting"
    ),
    Unprobed("", "Which other error codes has the token endpoint?", "they cannot be brought about; all are taken"),
    Unprobed(
        "", "Does a 429 name its limit and a time to wait?", "it would use up a day's credits; both forms are read"
    ),
    Unprobed("", "What do sub-requests of a composite call cost, and what is its parameter called?", NOT_ASKED),
    Unprobed("", "Which parameters have introspection and client credentials?", NOT_ASKED),
    Unprobed("", "Which status has a partly stale If-Unmodified-Since?", NOT_ASKED),
    Unprobed(
        "", "Which API hosts have the data centres uk and ae?", "`zohosync connect` takes them from Zoho's answer"
    ),
    *(
        Unprobed(name, "What Books does where its documentation is silent", reason)
        for reason, names in LEFT_OPEN.items()
        for name in names
    ),
)

PLANNED: tuple[Planned, ...] = (
    Planned(
        "books_item_modified_on_stock",
        "Does a movement of stock change an item's last_modified_time?",
        "1 item, 1 adjustment",
    ),
    Planned(
        "books_minute_limit",
        "How strict is the limit per minute, and which Retry-After has it?",
        "nothing; uses up one minute's calls",
    ),
    Planned(
        "books_upsert_miss",
        "What does an upsert do that matches nothing, and one whose unique field is taken?",
        "2 contacts; needs a unique custom field",
    ),
    Planned(
        "books_inclusive_rounding",
        "Which is rounded first when prices include tax: the tax, or the rest?",
        "1 draft, 1 customer, 1 item",
    ),
    Planned("books_most_lines", "How many lines may an adjustment or an invoice have?", "1 invoice, 1 contact, 1 item"),
    Planned(
        "books_webhook_signature",
        "Which header signs a webhook, and how often is it sent again?",
        "1 webhook; needs a public address",
    ),
    Planned("books_stock_on_void", "Does voiding an invoice give its stock back?", "1 invoice, 1 contact, 1 item"),
    Planned("books_adjustment_scope", "Which narrow scope allows inventory adjustments?", "1 item, 1 adjustment"),
)
