"""Every open question: those a probe asks, those no probe asks and why, and those of a later release."""

from zohosync.probe import contacts, leads, login, reads, settings
from zohosync.probe.probe import Ask, Group, Planned, Probe, Unprobed

API = "https://www.zoho.com/crm/developer/docs/api/v8"
OAUTH = "https://www.zoho.com/accounts/protocol/oauth"


def _switch(ask: Ask, group: Group, calls: int, cost: int, page: str, question: str, makes: str = "nothing") -> Probe:
    """A probe that is named after the switch it settles."""
    source = f"{OAUTH}/{page}" if page.startswith("web-apps") else f"{API}/{page}"
    name = ask.__name__
    return Probe(name, question, group, ask, calls, cost, source, settles=name, makes=makes)


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
    Unprobed("books_*", "What Books does where its documentation is silent", "see the questions of a later release"),
)

PLANNED: tuple[Planned, ...] = (
    Planned(
        "books_duplicate_invoice_number",
        "Which code has an invoice number that is taken?",
        "2 invoices, 1 contact, 1 item",
    ),
    Planned("books_payment_on_draft", "Can a draft invoice be paid?", "1 invoice, 1 payment, 1 contact, 1 item"),
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
        "2 contacts",
    ),
    Planned(
        "books_tax_rounding",
        "Is tax rounded per component or per group, also when prices include it?",
        "2 invoices, 1 contact, 1 item",
    ),
    Planned("books_shipping_tax", "Is the tax on shipping part of tax_total?", "1 invoice, 1 contact, 1 item"),
    Planned("books_item_by_sku", "Does the listing of items filter by sku?", "1 item"),
    Planned("books_most_lines", "How many lines may an adjustment or an invoice have?", "1 invoice, 1 contact, 1 item"),
    Planned(
        "books_webhook_signature",
        "Which header signs a webhook, and how often is it sent again?",
        "1 webhook; needs a public address",
    ),
    Planned("books_invalid_gstin", "Which code has a GSTIN with a wrong check digit?", "1 contact"),
    Planned("books_stock_on_void", "Does voiding an invoice give its stock back?", "1 invoice, 1 contact, 1 item"),
    Planned(
        "books_expired_token", "Which code has an expired access token?", "nothing; needs a second self-client code"
    ),
    Planned("books_absent_status", "Which status has a record that does not exist?", "nothing"),
    Planned("books_adjustment_scope", "Which narrow scope allows inventory adjustments?", "1 item, 1 adjustment"),
)
