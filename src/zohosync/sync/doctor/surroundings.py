"""What is around us: clocks, and the way to the mail server."""

from datetime import datetime

from zohosync.mail import MailRefused, probe
from zohosync.store.checkup.server import read_time
from zohosync.sync.doctor.finding import Chart, some
from zohosync.sync.doctor.patient import Patient
from zohosync.sync.doctor.zoho import require_login

MOST_SKEW = 30.0
NOBODY_IS_MAILED = (
    "NOBODY WILL BE MAILED when something breaks. This release does not mail yet; alerts come in a later release."
)


async def clock_skew(patient: Patient, chart: Chart) -> None:
    """This machine against the database, whose time the queue goes by."""
    before = patient.clock.now()
    told = await read_time(patient.database)
    _judge(chart, "the database", _behind(before, told, patient.clock.now()))


async def clock_skew_zoho(patient: Patient, chart: Chart) -> None:
    """This machine against Zoho, whose tokens end at its own time."""
    await require_login(patient)
    zoho, before = patient.require_zoho(), patient.clock.now()
    told = await zoho.time()
    if told is None:
        chart.not_checked("Zoho did not say what time it is.")
        return
    _judge(chart, "Zoho", _behind(before, told, patient.clock.now()))


def _behind(before: datetime, told: datetime, after: datetime) -> float:
    """Seconds by which this machine is behind; the answer was made at some moment between the two."""
    middle = before + (after - before) / 2
    return (told - middle).total_seconds()


def _judge(chart: Chart, whose: str, behind: float) -> None:
    seconds = round(abs(behind), 1)
    if seconds > MOST_SKEW:
        way = "behind" if behind > 0 else "ahead of"
        chart.wrong(
            f"This machine's clock is {seconds:.0f} s {way} the one of {whose}.",
            "Let this machine keep time with NTP (for instance systemd-timesyncd or chrony).",
            seconds=seconds,
        )
    else:
        chart.ok(f"This machine's clock agrees with {whose}.", seconds=seconds)


async def smtp(patient: Patient, chart: Chart) -> None:
    """Whether mail could be sent; none is."""
    settings = patient.settings
    if settings.smtp_url is None:
        chart.remark(
            f"No mail server is set. {NOBODY_IS_MAILED}",
            "Look at the console or run `zohosync doctor` from cron until then; set ZOHOSYNC_SMTP_URL to be ready.",
        )
        return
    try:
        found = await probe(settings.smtp_url.get_secret_value())
    except MailRefused as error:
        chart.wrong(f"{error.message} {NOBODY_IS_MAILED}", error.hint)
        return
    manner = ("encrypted" if found.encrypted else "not encrypted") + (", signed in" if found.signed_in else "")
    lacking = [
        name
        for name, value in (
            ("ZOHOSYNC_MAIL_FROM", settings.mail_from),
            ("ZOHOSYNC_ALERT_RECIPIENTS", settings.alert_recipients),
        )
        if not value
    ]
    told = f"The mail server {found.host}:{found.port} answers ({manner}); nothing was sent."
    if lacking:
        chart.remark(f"{told} {some(lacking)} is not set. {NOBODY_IS_MAILED}", f"Set {some(lacking)}.")
    else:
        chart.remark(f"{told} {NOBODY_IS_MAILED}")
