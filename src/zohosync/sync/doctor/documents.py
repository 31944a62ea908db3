"""Documents of Zoho Books: what is not decided yet, what Books lacks for them, what is held and what differs."""

from collections.abc import Iterable, Sequence

from zohosync.db.pool import snapshot
from zohosync.errors import RecordInvalid
from zohosync.gst.sale import TaxCategory
from zohosync.store.checkup import documents
from zohosync.store.holds import count_held
from zohosync.store.orders import ShopOrder, read_orders, read_variants
from zohosync.store.policies import read_policies
from zohosync.store.shop import read_recent
from zohosync.store.tokens import find_connection
from zohosync.sync.books.desk import Office
from zohosync.sync.books.links_by_hand import KINDS
from zohosync.sync.books.policies import Policies, parse_policies
from zohosync.sync.books.tax_book import read_tax_book
from zohosync.sync.doctor.books import require_chosen
from zohosync.sync.doctor.finding import Chart, count, some
from zohosync.sync.doctor.patient import Absent, Patient
from zohosync.sync.doctor.zoho import RECONNECT, require_login
from zohosync.zoho import scopes

RECENT = 200
GOODS = 500


async def document_policies(patient: Patient, chart: Chart) -> None:
    """Decisions that are still open and would hold documents, as far as the newest orders need them."""
    row = await find_connection(patient.database)
    if row is None or row.books_organisation_id is None:
        chart.not_checked("No organisation of Zoho Books is chosen.")
        return
    policies = await _policies(patient)
    orders, refunds = await _recent(patient, "order"), await _recent(patient, "refund")
    if policies.price_basis is None:
        say = chart.wrong if patient.installation.capturing else chart.remark
        say(
            "Nobody said whether the shop's prices contain GST, so every document is held.",
            "See what `price_basis` above tells of past orders, then `zohosync policy set price_basis exclusive` (or"
            " inclusive, as_charged).",
            policy="price_basis",
        )
    charging = [order for order in orders if order.shipping or order.cod_fee]
    if charging and policies.shipping_tax is None:
        chart.remark(
            f"{count(len(charging), 'recent order')} charged shipping or a COD fee. Those with goods of several rates"
            " are held: nobody said how the charge is taxed then.",
            "Decide it: `zohosync policy set shipping_tax apportion` (or highest).",
            policy="shipping_tax",
        )
    if policies.goods_returned == "ask" and any(refund.returned is None for refund in refunds):
        chart.remark(
            "Refunds of whole orders are held until somebody says whether the goods came back: the shop does not.",
            "Say it for all: `zohosync policy set goods_returned yes` (or no); or for one by an override.",
            policy="goods_returned",
        )
    _judge_accounts_of_money(chart, policies, orders, refunds)
    if not chart.findings:
        chart.ok("Everything the newest orders need was decided.")


def _judge_accounts_of_money(
    chart: Chart, policies: Policies, orders: Iterable[ShopOrder], refunds: Iterable[ShopOrder]
) -> None:
    unnamed = sorted({order.payment_method or "unknown" for order in orders} - set(policies.deposit_accounts))
    if unnamed:
        chart.remark(
            f"Payments by {some(unnamed)} go to the account Zoho Books takes by itself.",
            "Name the account of each: `zohosync policy set deposit_accounts method=<account id>,…`.",
            policy="deposit_accounts",
            methods=unnamed,
        )
    open_credits = any((order.payment_method or "") not in policies.deposit_accounts for order in refunds)
    if open_credits and policies.refund_account_id is None:
        chart.remark(
            "Credit notes stay open: nobody said from which account refunds are paid.",
            "Choose it: `zohosync policy set refund_account_id <account id>`.",
            policy="refund_account_id",
        )


async def document_accounts(patient: Patient, chart: Chart) -> None:
    """What Books must tell without doubt: the seller's state, the accounts of new items, the exemption of goods."""
    organisation, zoho = await require_chosen(patient), patient.require_zoho()
    await _require_accounts(patient)
    policies = await _policies(patient)
    office = Office(
        organisation, read_tax_book(await zoho.taxes()), await zoho.books_accounts(), await zoho.books_exemptions()
    )
    if not organisation.state_code:
        chart.wrong(
            "Zoho Books does not tell which state the shop sells from, so every document is held.",
            "In Books: Settings, Organisation Profile: enter the address with its state.",
        )
    wanted = [("income", policies.sales_account_id)]
    if policies.item_type == "inventory":
        wanted += [("cost_of_goods_sold", policies.purchase_account_id), ("stock", policies.inventory_account_id)]
    for kind, chosen in wanted:
        try:
            office.account_id(kind, chosen)
        except RecordInvalid as error:
            chart.wrong(f"{error.message} New items cannot be made.", error.hint, account=kind)
    if await _sells_exempt(patient):
        try:
            office.exemption_id(policies.exemption_id)
        except RecordInvalid as error:
            chart.wrong(f"{error.message} Exempt goods cannot be made.", error.hint)
    if not chart.findings:
        chart.ok("Zoho Books tells the seller's state, and which accounts and exemption new items get.")


async def document_baseline(patient: Patient, chart: Chart) -> None:
    """Kinds of work that came with an upgrade: until go-live knows them, all of theirs counts as old."""
    if patient.installation.live_since is None:
        chart.not_checked("This shop is not live yet.")
        return
    known = await documents.list_baselines(patient.database)
    absent = sorted(kind for entity, kind in KINDS.items() if (kind, entity) not in known)
    if absent:
        chart.wrong(
            f"Go-live did not know {some(absent)}: all their records count as older than go-live, so none is synced.",
            "Run `zohosync golive` again: what the shop holds now is old, what comes after is synced.",
            kinds=absent,
        )
    else:
        chart.ok("Go-live knew every kind of document.")


async def document_key(patient: Patient, chart: Chart) -> None:
    """The no-duplicates field: where it is chosen, Books must keep it."""
    policies = await _policies(patient)
    name = policies.unique_reference_field
    refused = await documents.count_failed(patient.database, "books_key_not_kept")
    if name is None:
        chart.ok("No field of Zoho Books keeps second documents away; each is looked for before it is made again.")
    elif refused:
        chart.wrong(
            f"Zoho Books did not keep {name}: {count(refused, 'document')} could not be made.",
            "In Books: make it a custom field without duplicates of invoices, quotes, credit notes and payments; or"
            " `zohosync policy clear unique_reference_field`.",
            refused=refused,
        )
    else:
        chart.ok(f"{name} keeps second documents away in Zoho Books.")


async def document_holds(patient: Patient, chart: Chart) -> None:
    """Records whose document waits for a correction, by reason."""
    held = await count_held(patient.database)
    if held:
        told = [f"{number} × {code}" for code, number in held.items()]
        chart.remark(
            f"Documents are held: {some(told)}.",
            "The console's log says of each what to correct; it goes through by itself then.",
            **held,
        )
    else:
        chart.ok("No document is held.")


async def document_findings(patient: Patient, chart: Chart) -> None:
    """Documents that no longer agree with their records, which a person has to decide about."""
    found = await documents.count_open_findings(patient.database)
    if found:
        told = [f"{number} × {code}" for code, number in found.items()]
        chart.remark(
            f"Somebody has to decide about documents in Zoho Books: {some(told)}.",
            "Open Findings in the console, or `zohosync findings`.",
            **found,
        )
    else:
        chart.ok("Every document agrees with its record, as far as was seen.")


async def books_permissions(patient: Patient, chart: Chart) -> None:
    """What documents need of the login, where an organisation of Books is chosen."""
    row = await require_login(patient)
    if row.books_organisation_id is None:
        chart.not_checked("No organisation of Zoho Books is chosen.")
    elif not row.scopes:
        chart.not_checked("Zoho did not say which permissions the login has.")
    elif lacking := scopes.missing(row.scopes, scopes.BOOKS_REQUIRED):
        chart.wrong(
            f"The login lacks the permissions {some(lacking)}: documents wait.", RECONNECT, missing=list(lacking)
        )
    else:
        chart.ok("The login has every permission documents need.")


async def _require_accounts(patient: Patient) -> None:
    row = await find_connection(patient.database)
    if row is not None and row.scopes and scopes.missing(row.scopes, (scopes.ACCOUNTS_READ,)):
        raise Absent("The login has no permission to read the accounts of Zoho Books.")


async def _policies(patient: Patient) -> Policies:
    return parse_policies(await read_policies(patient.database))


async def _recent(patient: Patient, entity: str) -> Sequence[ShopOrder]:
    async with snapshot(patient.database):
        pages = [page async for page in read_recent(patient.database, entity, RECENT)]
        return list((await read_orders(patient.database, [one for page in pages for one in page])).values())


async def _sells_exempt(patient: Patient) -> bool:
    async with snapshot(patient.database):
        pages = [page async for page in read_recent(patient.database, "variant", GOODS)]
        variants = await read_variants(patient.database, [one for page in pages for one in page])
    exempt = TaxCategory.EXEMPT.value
    return any((variant.tax_category or "").strip().lower() == exempt for variant in variants.values())
