"""The whole examination: every check in one table, and each ends in findings, whatever happens to it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

from zohosync.db.pool import DatabaseError, explain
from zohosync.errors import PrivilegeMissing, SchemaMismatch, ShopUnreadable, ZohosyncError
from zohosync.sync.doctor import books, capture, database, documents, shop, surroundings, zoho
from zohosync.sync.doctor.finding import Chart, Finding, Level
from zohosync.sync.doctor.patient import Absent, Patient

Subject: TypeAlias = Literal[
    "Database", "Capture and work", "Shop", "Zoho CRM", "Zoho Books", "Documents", "Surroundings"
]
PATIENCE = timedelta(seconds=45)


@dataclass(frozen=True)
class Check:
    """One matter to be looked at. ``name`` is stable and documented."""

    subject: Subject
    name: str
    look: Callable[[Patient, Chart], Awaitable[None]]


CHECKS: tuple[Check, ...] = (
    Check("Database", "connection_mode", database.connection_mode),
    Check("Database", "connections", database.connections),
    Check("Database", "worker_role", database.worker_role),
    Check("Database", "postgres_version", database.postgres_version),
    Check("Database", "schema_version", database.schema_version),
    Check("Database", "copy_guard", database.copy_guard),
    Check("Database", "grants", database.grants),
    Check("Database", "exposure", database.exposure),
    Check("Database", "pgmq", database.pgmq),
    Check("Database", "disk_growth", database.disk_growth),
    Check("Database", "vacuum", database.vacuum),
    Check("Capture and work", "triggers", capture.triggers),
    Check("Capture and work", "capture_roles", capture.capture_roles),
    Check("Capture and work", "capture_state", capture.capture_state),
    Check("Capture and work", "unread_changes", capture.unread_changes),
    Check("Capture and work", "workers", capture.workers),
    Check("Capture and work", "clock_jobs", capture.clock_jobs),
    Check("Capture and work", "incidents", capture.incidents),
    Check("Capture and work", "failures", capture.failures),
    Check("Capture and work", "older_integration", capture.older_integration),
    Check("Shop", "shop_reading", shop.shop_reading),
    Check("Shop", "line_indexes", shop.line_indexes),
    Check("Shop", "tax_data", shop.tax_data),
    Check("Shop", "price_basis", shop.price_basis),
    Check("Shop", "stock_source", shop.stock_source),
    Check("Zoho CRM", "zoho_login", zoho.zoho_login),
    Check("Zoho CRM", "zoho_organisation", zoho.zoho_organisation),
    Check("Zoho CRM", "data_centre", zoho.data_centre),
    Check("Zoho CRM", "crm_plan", zoho.crm_plan),
    Check("Zoho CRM", "api_budget", zoho.api_budget),
    Check("Zoho CRM", "permissions", zoho.permissions),
    Check("Zoho CRM", "custom_fields", zoho.custom_fields),
    Check("Zoho CRM", "field_drift", zoho.field_drift),
    Check("Zoho Books", "books_organisation", books.books_organisation),
    Check("Zoho Books", "books_plan", books.books_plan),
    Check("Zoho Books", "books_profile", books.books_profile),
    Check("Zoho Books", "books_taxes", books.books_taxes),
    Check("Zoho Books", "books_permissions", documents.books_permissions),
    Check("Documents", "document_policies", documents.document_policies),
    Check("Documents", "document_accounts", documents.document_accounts),
    Check("Documents", "document_baseline", documents.document_baseline),
    Check("Documents", "document_key", documents.document_key),
    Check("Documents", "document_holds", documents.document_holds),
    Check("Documents", "document_findings", documents.document_findings),
    Check("Surroundings", "clock_skew", surroundings.clock_skew),
    Check("Surroundings", "clock_skew_zoho", surroundings.clock_skew_zoho),
    Check("Surroundings", "smtp", surroundings.smtp),
)


async def examine(patient: Patient, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """All findings, in the order of the checks; one at a time, because they share a connection."""
    return [finding for check in checks for finding in await _look(check, patient)]


async def _look(check: Check, patient: Patient) -> list[Finding]:
    """A check that fails is itself a finding, after those it had made by then."""
    chart = Chart(check.name)
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            await check.look(patient, chart)
    except Absent as error:
        chart.not_checked(error.message)
    except TimeoutError:
        chart.not_checked(f"It took longer than {PATIENCE.total_seconds():.0f} s.")
    except DatabaseError as error:
        _write_failure(chart, explain(error))
    except ZohosyncError as error:
        _write_failure(chart, error)
    # An operator wants the other findings, too, whatever one of our checks stumbles over.
    except Exception as error:
        chart.not_checked(f"The check itself failed: {type(error).__name__}.", "Report this with `--bundle`.")
    return chart.findings


def _write_failure(chart: Chart, error: ZohosyncError) -> None:
    amiss = isinstance(error, PrivilegeMissing | SchemaMismatch | ShopUnreadable)
    say = chart.wrong if amiss else chart.not_checked
    say(error.message, error.hint, code=error.reason)


def is_well(findings: Sequence[Finding]) -> bool:
    """Whether nothing is wrong; what could not be checked is not wrong."""
    return all(finding.level is not Level.WRONG for finding in findings)
