"""What this process did since it started, counted as it happens."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector

from zohosync.clock import Clock
from zohosync.db.install import newest_version
from zohosync.queue.observer import Ended
from zohosync.queue.operation import Operation, Outcome
from zohosync.zoho.exchange import Exchange

ATTEMPT_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)
CALL_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30)
# From a moment to a week: what waits for a login may wait for days.
DONE_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400, 604800)
DONE = {Outcome.SUCCEEDED, Outcome.SKIPPED}


class Tally:
    """Counters and histograms of one process. It is the worker's observer and the client's watch.

    Labels are kinds, outcomes, products and codes of ours: words of the program, never of customers.
    """

    def __init__(self, registry: CollectorRegistry, clock: Clock, *, version: str) -> None:
        self._clock = clock
        self.turned_at: float | None = None  # of the monotonic clock
        ProcessCollector(registry=registry)
        info = Info("zohosync_build", "The program that answers.", registry=registry)
        info.info({"version": version, "schema_version": str(newest_version())})
        self._attempts = Counter(
            "zohosync_operation_attempts",
            "Attempts this process ended, as it reported them.",
            ("kind", "outcome"),
            registry=registry,
        )
        self._errors = Counter(
            "zohosync_operation_errors",
            "Attempts that ended with an error, by its code; outcome retrying are the retries.",
            ("kind", "outcome", "error_code"),
            registry=registry,
        )
        self._took = Histogram(
            "zohosync_operation_attempt_duration_seconds",
            "From the start of an operation's batch to the committed end of its attempt, in seconds.",
            ("kind",),
            buckets=ATTEMPT_BUCKETS,
            registry=registry,
        )
        self._done = Histogram(
            "zohosync_change_to_done_seconds",
            "From the request of an operation to its success or skip, in seconds, waits included.",
            ("kind",),
            buckets=DONE_BUCKETS,
            registry=registry,
        )
        self._takeovers = Counter(
            "zohosync_operation_takeovers",
            "Operations this process claimed after a worker had died on them.",
            ("kind",),
            registry=registry,
        )
        self._turns = Counter("zohosync_worker_turns", "Looks at all lanes by this process.", registry=registry)
        self._last_turn = Gauge(
            "zohosync_worker_last_turn_timestamp_seconds",
            "When this process last looked at its lanes, in Unix time; 0 when it does not work.",
            registry=registry,
        )
        self._calls = Counter(
            "zohosync_zoho_calls",
            "Calls to Zoho's API; status is the class of the answer, none when there was none.",
            ("product", "method", "status", "error_code"),
            registry=registry,
        )
        self._call_took = Histogram(
            "zohosync_zoho_call_duration_seconds",
            "How long one call to Zoho's API took, in seconds.",
            ("product", "method"),
            buckets=CALL_BUCKETS,
            registry=registry,
        )

    def turned(self) -> None:
        self.turned_at = self._clock.monotonic()
        self._turns.inc()
        self._last_turn.set(self._clock.now().timestamp())

    def claimed(self, operations: Sequence[Operation]) -> None:
        for operation in operations:
            if operation.deaths:
                self._takeovers.labels(operation.kind).inc()

    def ended(self, attempt: Ended) -> None:
        kind, outcome = attempt.operation.kind, attempt.report.outcome
        self._attempts.labels(kind, outcome.value).inc()
        self._took.labels(kind).observe(attempt.took.total_seconds())
        if attempt.report.error_code:
            self._errors.labels(kind, outcome.value, attempt.report.error_code).inc()
        if outcome in DONE and attempt.since_request is not None:
            # The database and this machine may differ by a moment.
            self._done.labels(kind).observe(max(0.0, attempt.since_request.total_seconds()))

    def watch(self, exchange: Exchange) -> None:
        """One call to Zoho, answered or not."""
        product, method = exchange.request.product, "write" if exchange.request.writes else "read"
        status = "none" if exchange.status is None else f"{exchange.status // 100}xx"
        self._calls.labels(product, method, status, exchange.error).inc()
        self._call_took.labels(product, method).observe(exchange.took.total_seconds())
