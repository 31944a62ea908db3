"""Capture and work: whether changes are seen, taken in and worked on."""

from zohosync.db.install import (
    CaptureTrigger,
    find_older_integration,
    find_older_triggers,
    list_capture_triggers,
    newest_version,
)
from zohosync.store.checkup import capture, rights
from zohosync.store.checkup.capture import Fired, FoundTrigger
from zohosync.store.insights import group_failures
from zohosync.sync.doctor.finding import Chart, Level, age, count, some
from zohosync.sync.doctor.patient import Patient

TIMINGS = {"insert": 4, "delete": 8, "update": 16}
"""AFTER, for each statement, of one event: pg_trigger.tgtype."""

LATE_CHANGE = 300.0
SILENT = 60.0
OVERDUE = 300.0
REINSTALL = "Run `zohosync install` as the owner of the shop's tables."


async def triggers(patient: Patient, chart: Chart) -> None:
    """Each trigger of the adapter against the catalogue."""
    wanted = list_capture_triggers(patient.settings.adapter)
    found = {(one.table, one.name): one for one in await capture.list_triggers(patient.database)}
    faults = [fault for one in wanted if (fault := _fault_of(one, found.get((one.table, one.name))))]
    if faults:
        chart.wrong(
            f"Changes of the shop are not captured as they should be: {some(faults)}.", REINSTALL, faults=faults
        )
    else:
        chart.ok(f"All {len(wanted)} triggers are present, enabled, and on the right table and event.")


def _fault_of(wanted: CaptureTrigger, found: FoundTrigger | None) -> str | None:
    place = f"the {wanted.event} trigger of {wanted.table}"
    if found is None:
        return f"{place} is missing"
    if not found.enabled:
        return f"{place} is disabled"
    if found.timing != TIMINGS[wanted.event] or found.function != f"zohosync.{wanted.function}":
        return f"{place} is not ours any more"
    return None


async def capture_roles(patient: Patient, chart: Chart) -> None:
    """A write by the shop's API must be captured, too: a function that runs with the caller's rights loses it."""
    wanted = list_capture_triggers(patient.settings.adapter)
    present = await capture.list_present_roles(patient.database, rights.API_ROLES)
    absent = [role for role in rights.API_ROLES if role not in present]
    if absent:
        chart.remark(f"The roles {some(absent)} do not exist here, as on a Postgres without Supabase.", absent=absent)
    _judge_weaknesses(chart, found := await capture.list_triggers(patient.database))
    why = patient.no_owner
    if patient.owner is not None:
        problem = await capture.try_to_send(patient.owner)
        if problem is not None:
            chart.wrong(f"The owner of the shop's tables cannot put a change into the queue: {problem}.", REINSTALL)
        becoming = [role for role in present if await capture.may_become(patient.owner, role)]
        for role in becoming:
            _judge_fired(chart, role, [await capture.fire(patient.owner, role, one) for one in wanted])
        present = [role for role in present if role not in becoming]
        why = "the owner may not become " + some(present)
    untried = bool(present) or patient.owner is None
    if found and untried and not any(finding.level is Level.WRONG for finding in chart.findings):
        told = (
            "The triggers run with the rights of the tables' owner, who may send to our queue. That was read, not"
            f" tried, because {why}."
        )
        if patient.settings.owner_database_url is None:
            chart.ok(told, tried=False)
        else:
            chart.remark(told, await _how_to_try(patient, present), tried=False)


async def _how_to_try(patient: Patient, roles: list[str]) -> str:
    if patient.owner is None:
        return "Set ZOHOSYNC_OWNER_DATABASE_URL to a connection string that works, for this one run."
    owner = await capture.name_of_role(patient.owner)
    return f"Have an administrator run: grant {', '.join(roles)} to {owner}"


def _judge_fired(chart: Chart, role: str, fired: list[Fired]) -> None:
    missed = sorted({one.table for one in fired if one.fate == "missed"})
    stopped = sorted({one.table for one in fired if one.fate == "refused by the shop"})
    captured = [one for one in fired if one.fate == "captured"]
    if missed:
        chart.wrong(f"What {role} writes to {some(missed)} is not captured.", REINSTALL, role=role, tables=missed)
    if stopped:
        chart.not_checked(
            f"Writing as {role} to {some(stopped)} could not be tried: the shop's own rules stopped it.",
            role=role,
            tables=stopped,
        )
    if captured and not missed:
        chart.ok(
            f"What {role} writes is captured: {count(len(captured), 'trigger')} ran without a fault, in transactions"
            " that were undone.",
            role=role,
        )
    if not captured and not missed and not stopped:
        chart.ok(f"{role} may not write to the tables we watch.", role=role)


def _judge_weaknesses(chart: Chart, found: list[FoundTrigger]) -> None:
    """What a trial of no rows cannot show: nothing is sent then."""
    faults = sorted({fault for one in found for fault in _weaknesses(one)})
    if faults:
        chart.wrong(f"Writes of the shop's API may be lost: {some(faults)}.", REINSTALL, faults=faults)


def _weaknesses(found: FoundTrigger) -> list[str]:
    faults = []
    if not found.definer:
        faults.append(f"{found.function} runs with the caller's rights")
    if not any(setting.startswith("search_path=") for setting in found.configuration):
        faults.append(f"{found.function} has no search_path of its own")
    if not found.may_send:
        faults.append(f"the owner of {found.function} may not send to our queue")
    return faults


async def capture_state(patient: Patient, chart: Chart) -> None:
    state = await capture.read_capture(patient.database)
    if state.live_since is None:
        chart.remark("This shop is not live yet: nothing is captured.", "Run `zohosync golive` when you are ready.")
    elif not state.capturing:
        since = f" since {state.paused_at:%Y-%m-%d %H:%M %Z}" if state.paused_at else ""
        chart.remark(
            f"Capture is paused{since}; it was live since {state.live_since:%Y-%m-%d %H:%M %Z}.",
            "Run `zohosync resume`; what changed meanwhile is found then.",
        )
    else:
        chart.ok(f"Capture is on, live since {state.live_since:%Y-%m-%d %H:%M %Z}.")


async def unread_changes(patient: Patient, chart: Chart) -> None:
    state = await capture.read_capture(patient.database)
    waited = (patient.clock.now() - state.oldest_at).total_seconds() if state.oldest_at else 0.0
    if waited > LATE_CHANGE:
        chart.wrong(
            f"{count(state.unread, 'captured change')} wait to be taken in, the oldest for {age(waited)}.",
            "See whether a worker runs: `zohosync status`.",
            unread=state.unread,
            seconds=round(waited),
        )
    else:
        chart.ok(f"{count(state.unread, 'captured change')} wait to be taken in.", unread=state.unread)


async def workers(patient: Patient, chart: Chart) -> None:
    rows = await capture.list_worker_rows(patient.database)
    alive, ours = [row for row in rows if row.silent < SILENT], newest_version()
    if not alive:
        told, remedy = "No worker is alive: nothing is synced.", "Start one with `zohosync run` or `zohosync worker`."
        (chart.wrong if patient.installation.capturing else chart.remark)(told, remedy)
        return
    strange = [row for row in alive if row.schema_version != ours]
    deaf = [row for row in alive if not row.listening]
    if strange:
        chart.wrong(
            f"{count(len(strange), 'worker')} of another release are running"
            f" (for schema version {some([str(row.schema_version) for row in strange])}; this one is {ours}).",
            "Restart them with this release.",
        )
    if deaf:
        chart.remark(
            f"{count(len(deaf), 'worker')} cannot listen and look for work every few seconds instead.",
            "Use the session pooler or a direct connection.",
        )
    if not strange and not deaf:
        chart.ok(f"{count(len(alive), 'worker')} alive, of this release, and listening.", alive=len(alive))


async def clock_jobs(patient: Patient, chart: Chart) -> None:
    jobs = await capture.list_clock_jobs(patient.database)
    overdue = [job.job for job in jobs if job.overdue is not None and job.overdue > OVERDUE]
    failing = [job.job for job in jobs if job.error]
    if not jobs:
        chart.remark("The periodic jobs have never run.", "Start a worker.")
    if overdue:
        chart.wrong(f"Periodic jobs are overdue: {some(overdue)}.", "See whether a worker runs.", jobs=overdue)
    if failing:
        chart.wrong(
            f"Periodic jobs failed when they ran last: {some(failing)}.",
            "The worker's log says why; they are tried again by themselves.",
            jobs=failing,
        )
    if jobs and not overdue and not failing:
        chart.ok(f"All {len(jobs)} periodic jobs run on time.")


async def incidents(patient: Patient, chart: Chart) -> None:
    for one in await capture.list_open_incidents(patient.database):
        say = chart.wrong if one.severity == "critical" else chart.remark
        say(f"Open incident {one.code}: {one.title}", one.hint, code=one.code, occurrences=one.occurrences)
    if not chart.findings:
        chart.ok("No incident is open.")


async def failures(patient: Patient, chart: Chart) -> None:
    groups = await group_failures(patient.database)
    total = sum(group.count for group in groups)
    if total:
        codes = [f"{group.error_code} ({group.count})" for group in groups]
        chart.remark(
            f"{count(total, 'operation')} failed and are not cured: {some(codes)}.",
            "See them by cause with `zohosync status` or in the console's sync log.",
            failed=total,
        )
    else:
        chart.ok("No failed operation is left uncured.")


async def older_integration(patient: Patient, chart: Chart) -> None:
    harmful = await find_older_triggers(patient.database)
    for sentence in harmful:
        chart.wrong(sentence.partition(";")[0] + ".", "Disable it, or both will write to Zoho.")
    for sentence in await find_older_integration(patient.database):
        if sentence not in harmful:
            chart.remark(sentence)
    if not chart.findings:
        chart.ok("Nothing of an older Zoho integration is in this database.")
