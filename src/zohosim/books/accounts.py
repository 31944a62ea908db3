"""The chart of accounts: what an Indian organisation starts with, and what its people add.

https://www.zoho.com/books/api/v3/chart-of-accounts/
"""

from zohosim.answers import Json
from zohosim.books.answers import BooksRefused
from zohosim.books.fields import Field, blanks, entity_id, invalid, one_of, read, require, text
from zohosim.books.lists import Listing, Test, everything
from zohosim.books.records import Ledger, Row, shown
from zohosim.books.resources import Module, Visit

ASSETS = (
    "other_asset", "other_current_asset", "intangible_asset", "cash", "bank", "fixed_asset", "accounts_receivable",
    "stock", "payment_clearing",
)  # fmt: skip
LIABILITIES = (
    "other_current_liability", "credit_card", "long_term_liability", "other_liability", "accounts_payable",
)  # fmt: skip
INCOME = ("income", "other_income")
EXPENSES = ("expense", "cost_of_goods_sold", "other_expense")
TYPES = (*ASSETS, *LIABILITIES, "equity", *INCOME, *EXPENSES)

CHART: tuple[tuple[str, str], ...] = (
    ("Sales", "income"), ("General Income", "income"), ("Interest Income", "income"), ("Late Fee Income", "income"),
    ("Discount", "income"), ("Shipping Charge", "income"), ("Other Charges", "income"),
    ("Cost of Goods Sold", "cost_of_goods_sold"), ("Job Costing", "cost_of_goods_sold"),
    ("Materials", "cost_of_goods_sold"), ("Subcontractor", "cost_of_goods_sold"), ("Labor", "cost_of_goods_sold"),
    ("Inventory Asset", "stock"), ("Finished Goods", "stock"), ("Work In Progress", "stock"),
    ("Undeposited Funds", "cash"), ("Petty Cash", "cash"), ("Current Account", "bank"),
    ("Accounts Receivable", "accounts_receivable"), ("Accounts Payable", "accounts_payable"),
    ("Advance Tax", "other_current_asset"), ("Prepaid Expenses", "other_current_asset"),
    ("Employee Advance", "other_current_asset"), ("TDS Receivable", "other_current_asset"),
    ("Input Tax Credits", "other_current_asset"), ("Input CGST", "other_current_asset"),
    ("Input SGST", "other_current_asset"), ("Input IGST", "other_current_asset"),
    ("Reverse Charge Tax Input but not due", "other_current_asset"),
    ("Furniture and Equipment", "fixed_asset"), ("Goodwill", "other_asset"),
    ("Tax Payable", "other_current_liability"), ("Output CGST", "other_current_liability"),
    ("Output SGST", "other_current_liability"), ("Output IGST", "other_current_liability"),
    ("GST Payable", "other_current_liability"), ("TDS Payable", "other_current_liability"),
    ("Unearned Revenue", "other_current_liability"), ("Opening Balance Adjustments", "other_current_liability"),
    ("Employee Reimbursements", "other_current_liability"), ("Construction Loans", "long_term_liability"),
    ("Mortgages", "long_term_liability"), ("Dimension Adjustments", "other_liability"),
    ("Capital Stock", "equity"), ("Retained Earnings", "equity"), ("Drawings", "equity"),
    ("Opening Balance Offset", "equity"), ("Owner's Equity", "equity"), ("Distributions", "equity"),
    ("Advertising And Marketing", "expense"), ("Automobile Expense", "expense"), ("Bad Debt", "expense"),
    ("Bank Fees and Charges", "expense"), ("Consultant Expense", "expense"), ("Credit Card Charges", "expense"),
    ("Depreciation Expense", "expense"), ("IT and Internet Expenses", "expense"), ("Janitorial Expense", "expense"),
    ("Lodging", "expense"), ("Meals and Entertainment", "expense"), ("Office Supplies", "expense"),
    ("Postage", "expense"), ("Printing and Stationery", "expense"), ("Rent Expense", "expense"),
    ("Repairs and Maintenance", "expense"), ("Salaries and Employee Wages", "expense"),
    ("Telephone Expense", "expense"), ("Travel Expense", "expense"), ("Transportation Expense", "expense"),
    ("Purchase Discounts", "expense"), ("Other Expenses", "expense"), ("Exchange Gain or Loss", "other_expense"),
)  # fmt: skip
"""Names and types. The names are of the product; only Cost of Goods Sold and the type stock were seen over the API."""

FIELDS = (
    Field("account_name", text(100)),
    Field("account_code", text(50)),
    Field("account_type", one_of(*TYPES)),
    Field("description", text(500)),
    Field("parent_account_id", entity_id),
    Field("currency_id", entity_id),
)
COMMON: Json = {
    "is_user_created": True, "is_system_account": False, "is_standalone_account": False, "is_active": True,
    "can_show_in_ze": False, "is_involved_in_transaction": False, "parent_account_name": "", "depth": 0,
    "has_attachment": False, "is_child_present": False, "child_count": "", "documents": [], "status": "active",
}  # fmt: skip


def open_chart(ledger: Ledger, first_id: int) -> None:
    """The accounts there are from the start; their ids are the same after every reset."""
    for number, (name, kind) in enumerate(CHART):
        row: Row = {
            "account_id": str(first_id + 3 * number), **blanks(FIELDS), **COMMON, "account_name": name,
            "account_type": kind, "is_user_created": False, "is_system_account": True,
            "created_time": ledger.now_text(), "last_modified_time": ledger.now_text(),
        }  # fmt: skip
        ledger.tables["chartofaccounts"][row["account_id"]] = row


def named(ledger: Ledger, name: str) -> Row:
    """One of the accounts there are from the start."""
    return next(row for row in ledger.rows("chartofaccounts") if row["account_name"] == name)


def account_name(ledger: Ledger, account_id: str) -> str:
    found = ledger.find("chartofaccounts", account_id)
    return str(found["account_name"]) if found else ""


def check_account(ledger: Ledger, key: str, account_id: str, *types: str) -> None:
    """Refuse an id that is no account, or one of another type than these."""
    found = ledger.find("chartofaccounts", account_id) if account_id else None
    if account_id and (found is None or (types and found["account_type"] not in types)):
        raise invalid(key)


def create(seen: Visit, body: Json) -> Row:
    require(body, "account_name", "account_type")
    row: Row = {**blanks(FIELDS), **COMMON, **read(body, FIELDS)}
    check_name(seen, row)
    return row


def update(seen: Visit, row: Row, body: Json) -> Row:
    changed = {**row, **read(body, FIELDS)}
    check_name(seen, changed)
    return changed


def check_name(seen: Visit, row: Row) -> None:
    """Two accounts of one name are refused; code and text are assumed."""
    for other in seen.ledger.rows("chartofaccounts"):
        same = other["account_name"].casefold() == row["account_name"].casefold()
        if same and other["account_id"] != row.get("account_id"):
            raise BooksRefused(400, 11011, f'An account "{row["account_name"]}" already exists.')


def delete(_seen: Visit, row: Row) -> None:
    if row["is_system_account"]:
        raise BooksRefused(400, 11003, "System accounts cannot be deleted.")


def told(_seen: Visit, row: Row) -> Json:
    """Accounts say whether they are active, and not their status."""
    return {
        **{key: value for key, value in shown(row).items() if key != "status"}, "is_active": row["status"] == "active",
    }  # fmt: skip


def of_types(*types: str) -> Test:
    return lambda row: row["account_type"] in types


ACCOUNTS = Module(
    name="chartofaccounts", node="chart_of_account", entity="Account", id_key="account_id",
    listing=Listing(
        "chartofaccounts", "Chart of Accounts", ("account_name", "account_type"),
        filters={
            "AccountType.All": everything,
            "AccountType.Active": lambda row: row["status"] == "active",
            "AccountType.Inactive": lambda row: row["status"] != "active",
            "AccountType.Asset": of_types(*ASSETS), "AccountType.Liability": of_types(*LIABILITIES),
            "AccountType.Equity": of_types("equity"), "AccountType.Income": of_types(*INCOME),
            "AccountType.Expense": of_types(*EXPENSES),
        },
        default_filter="AccountType.All",
    ),
    create=create, update=update, delete=delete, detail=told, row=told,
    created="The account has been created.", saved="The details of the account has been updated.",
    removed="The account has been deleted.",
)  # fmt: skip
