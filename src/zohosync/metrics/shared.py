"""What the database tells about the sync as a whole, in Prometheus' terms. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from zohosync.store.measures import STATES, Measures


def gauge(name: str, meaning: str, value: float | None) -> GaugeMetricFamily:
    """A gauge without labels; a value of None leaves it without a sample."""
    family = GaugeMetricFamily(name, meaning, labels=())
    if value is not None:
        family.add_metric((), value)
    return family


def gauges(
    name: str, meaning: str, labels: Iterable[str], rows: Iterable[tuple[tuple[str, ...], float | None]]
) -> GaugeMetricFamily:
    """A gauge with a sample for each row that has a value."""
    family = GaugeMetricFamily(name, meaning, labels=tuple(labels))
    for key, value in rows:
        if value is not None:
            family.add_metric(key, value)
    return family


def families(measures: Measures, limits: Mapping[str, int]) -> Iterator[Metric]:
    """All shared metrics; ``limits`` are credits a day by product, as the settings give them."""
    yield from _installation(measures)
    yield from _queue(measures)
    yield from _trouble(measures)
    yield from _budget(measures, limits)
    yield from _login(measures)


def _installation(measures: Measures) -> Iterator[Metric]:
    live_since = measures.live_since.timestamp() if measures.live_since else None
    yield gauge("zohosync_schema_version", "Version of the schema in the database.", measures.schema_version)
    yield gauge("zohosync_capturing", "1 while changes of the shop are captured, else 0.", measures.capturing)
    yield gauge("zohosync_live_since_timestamp_seconds", "When the shop went live, in Unix time.", live_since)
    yield gauge("zohosync_workers_alive", "Workers seen within a minute, on all machines.", measures.workers)


def _queue(measures: Measures) -> Iterator[Metric]:
    yield gauge(
        "zohosync_changes_pending",
        "Captured change messages not taken in yet, of up to 500 records each; counted up to 10,001.",
        measures.changes,
    )
    yield gauge(
        "zohosync_changes_oldest_age_seconds",
        "Age of the oldest captured change not taken in yet, in seconds; 0 when there is none.",
        measures.changes_oldest or 0.0,
    )
    yield gauges(
        "zohosync_lane_operations",
        "Open operations by lane and status; each counted up to 10,001.",
        ("lane", "status"),
        (((lane.lane, lane.status), lane.operations) for lane in measures.lanes),
    )
    yield gauges(
        "zohosync_lane_oldest_age_seconds",
        "Seconds since the longest open operation of a lane and status was requested; 0 when there is none.",
        ("lane", "status"),
        (((lane.lane, lane.status), lane.oldest or 0.0) for lane in measures.lanes),
    )


def _trouble(measures: Measures) -> Iterator[Metric]:
    yield gauges(
        "zohosync_open_failures",
        "Failed operations nobody cured yet, of the newest 10,001; past the 50 most frequent causes, other.",
        ("kind", "error_code"),
        (((one.kind, one.error_code), one.operations) for one in measures.failures),
    )
    yield gauges(
        "zohosync_open_incidents",
        "Incidents that are open.",
        ("severity",),
        (((severity,), count) for severity, count in measures.incidents.items()),
    )
    yield gauges(
        "zohosync_clock_job_late_seconds",
        "How long a job of the clock is overdue, in seconds; 0 when it is not.",
        ("job",),
        (((job.job,), job.late) for job in measures.jobs),
    )
    yield gauges(
        "zohosync_clock_job_failed",
        "1 when the last run of a job of the clock ended with an error, else 0.",
        ("job",),
        (((job.job,), job.failed) for job in measures.jobs),
    )


def _budget(measures: Measures, limits: Mapping[str, int]) -> Iterator[Metric]:
    yield gauges(
        "zohosync_budget_limit_credits",
        "API credits of 24 hours, as the settings give them.",
        ("product",),
        (((product,), limit) for product, limit in limits.items()),
    )
    yield gauges(
        "zohosync_budget_spent_credits",
        "API credits spent in the last 24 hours, by this and other programs.",
        ("product",),
        (((one.product,), one.spent) for one in measures.budgets),
    )
    yield gauges(
        "zohosync_budget_calls_in_flight",
        "Calls to Zoho under way, of all processes.",
        ("product",),
        (((one.product,), one.in_flight) for one in measures.budgets),
    )
    yield gauges(
        "zohosync_budget_paused_seconds",
        "How long calls still pause because Zoho said so, in seconds; 0 when they do not.",
        ("product",),
        (((one.product,), one.paused) for one in measures.budgets),
    )


def _login(measures: Measures) -> Iterator[Metric]:
    login = measures.login
    yield gauges(
        "zohosync_connection_state",
        "1 for the state the connection to Zoho is in, 0 for the others.",
        ("state",),
        (((state,), login.state == state) for state in STATES),
    )
    yield gauge("zohosync_login_age_seconds", "Seconds since somebody connected Zoho.", login.login_age)
    yield gauge(
        "zohosync_access_token_age_seconds", "Seconds since the access token was last renewed.", login.token_age
    )
    yield gauge(
        "zohosync_access_token_expires_in_seconds",
        "Seconds until the access token ends; below 0 when it did and nobody needed another yet.",
        login.token_expires_in,
    )
    yield CounterMetricFamily(
        "zohosync_token_refreshes",
        "Access tokens fetched since the installation, by all processes.",
        value=login.tokens_fetched,
    )
