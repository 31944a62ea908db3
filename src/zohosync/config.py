"""Settings, read once from the environment and ``.env``; unsafe values are refused with the remedy."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from zohosync.errors import SettingsRefused

# The accounts servers Zoho itself names; a client secret is never sent anywhere else.
# https://www.zoho.com/accounts/protocol/oauth/multi-dc.html
ACCOUNTS_SERVERS = {
    "us": "https://accounts.zoho.com",
    "eu": "https://accounts.zoho.eu",
    "in": "https://accounts.zoho.in",
    "au": "https://accounts.zoho.com.au",
    "jp": "https://accounts.zoho.jp",
    "ca": "https://accounts.zohocloud.ca",
    "cn": "https://accounts.zoho.com.cn",
    "sa": "https://accounts.zoho.sa",
    "uk": "https://accounts.zoho.uk",
    "ae": "https://accounts.zoho.ae",
}
API_DOMAINS = {
    "us": "https://www.zohoapis.com",
    "eu": "https://www.zohoapis.eu",
    "in": "https://www.zohoapis.in",
    "au": "https://www.zohoapis.com.au",
    "jp": "https://www.zohoapis.jp",
    "ca": "https://www.zohoapis.ca",
    "cn": "https://www.zohoapis.com.cn",
    "sa": "https://www.zohoapis.sa",
    "uk": "https://www.zohoapis.uk",
    "ae": "https://www.zohoapis.ae",
}

PLACEHOLDERS = {"changeme", "change-me", "secret", "password", "todo", "xxx", "your-key", "your-secret"}

SHORTEST_TOKEN = 16

Seconds = Annotated[
    timedelta,
    BeforeValidator(lambda value: float(value) if isinstance(value, str) and value[:1].isdigit() else value),
]


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class Settings(BaseSettings):
    """All settings. Each is ``ZOHOSYNC_<NAME>`` in the environment; durations are in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="ZOHOSYNC_", env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    # --- database
    database_url: SecretStr | None = Field(
        None, description="Where the worker and console connect, as the worker's role."
    )
    owner_database_url: SecretStr | None = Field(
        None,
        description="The same database, as the owner of the shop's tables; for install, uninstall and doctor.",
    )
    worker_role: str = Field(
        "zohosync_worker", pattern=r"^[a-z_][a-z0-9_]{0,62}$", description="Login role that install creates."
    )
    adapter: str = Field("kn", description="Name of the shop adapter: a file in zohosync/db/adapters, or a path.")
    pool_size: int = Field(6, ge=2, le=50, description="Most database connections one process holds.")

    # --- Zoho
    zoho: Literal["live", "sim"] = Field(
        "live", description="live talks to Zoho; sim to a local zohosim, on purpose only."
    )
    sim_url: str = Field("http://127.0.0.1:8900", description="Where zohosim listens, when ZOHOSYNC_ZOHO=sim.")
    sim_minute: Seconds = Field(
        timedelta(minutes=1), description="How long a minute of zohosim's limits lasts; shorter ones are for tests."
    )
    data_centre: Literal["us", "eu", "in", "au", "jp", "ca", "cn", "sa", "uk", "ae"] = Field(
        "in", description="Zoho data centre of the organisation."
    )
    encryption_keys: Annotated[list[SecretStr], NoDecode, BeforeValidator(_split)] = Field(
        default_factory=list,
        description="Fernet keys for secrets at rest, newest first, separated by commas.",
    )
    phone_region: str = Field("IN", pattern=r"^[A-Z]{2}$", description="Country of phone numbers written without +.")
    contact_automations: Literal["new", "never"] = Field(
        "new", description="When Zoho's own workflows run for contacts."
    )
    lead_automations: Literal["new", "never"] = Field("new", description="When Zoho's own workflows run for leads.")

    # --- budget of calls
    crm_daily_credits: int = Field(50_000, ge=100, description="API credits of the organisation per 24 hours.")
    crm_in_flight: int = Field(5, ge=1, le=25, description="Most calls to CRM at once, over all processes.")
    books_daily_calls: int = Field(
        1_000, ge=100, description="API calls of the organisation of Zoho Books per day; its plan says how many."
    )
    books_per_minute: int = Field(90, ge=1, le=100, description="Most calls to Books per minute, over all processes.")
    books_in_flight: int = Field(5, ge=1, le=10, description="Most calls to Books at once, over all processes.")
    books_sales_reserve: int = Field(
        10, ge=0, le=90, description="Share of Books' calls, per day and per minute, that only orders use, in percent."
    )
    call_timeout: Seconds = Field(timedelta(seconds=20), description="Longest wait for one answer of Zoho.")

    # --- queue
    retry_base: Seconds = Field(timedelta(seconds=15), description="Wait before the first retry.")
    retry_factor: float = Field(4.0, ge=1, le=10, description="Each wait is this many times the one before.")
    retry_limit: int = Field(5, ge=0, le=20, description="Retries after the first try.")
    visibility_timeout: Seconds = Field(
        timedelta(seconds=60), description="A worker silent for this long counts as dead."
    )
    poll_interval: Seconds = Field(timedelta(seconds=5), description="Longest time between two looks at the queue.")
    scan_interval: Seconds = Field(timedelta(minutes=10), description="How often missed changes are looked for.")
    look_again: Seconds = Field(
        timedelta(seconds=20),
        ge=timedelta(0),
        description="A document that may have been made and is not found is looked for again after this long.",
    )
    lines_patience: Seconds = Field(timedelta(minutes=30), description="How long a quote or order may lack its lines.")
    wait_patience: Seconds = Field(timedelta(days=7), description="How long an operation may wait for anything else.")
    concurrency: int = Field(5, ge=1, le=32, description="Batches one worker runs at once.")

    # --- retention
    keep_successes: Seconds = Field(
        timedelta(days=90), ge=timedelta(days=1), description="How long ended operations and their attempts are kept."
    )
    keep_payloads: Seconds = Field(
        timedelta(days=30), ge=timedelta(0), description="How long what was sent and answered is kept."
    )

    # --- console
    console_host: str = Field("127.0.0.1", description="Address the console listens on.")
    console_port: int = Field(8800, ge=0, le=65535, description="Port the console listens on; 0 picks a free one.")
    console_url: str | None = Field(None, description="Public address of the console, for links and the Secure cookie.")
    session_lifetime: Seconds = Field(timedelta(hours=12), description="How long a sign-in lasts.")

    # --- metrics and logs
    metrics_token: SecretStr | None = Field(
        None, description="Bearer token that opens /metrics; at least 16 characters. Without it the console has none."
    )
    metrics_host: str = Field("127.0.0.1", description="Address a worker without console answers machines on.")
    metrics_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Port on which `zohosync worker` answers /metrics, /healthz and /readyz; 0 picks a free one.",
    )
    # --- mail
    smtp_url: SecretStr | None = Field(
        None, description="Where mail leaves: smtp://user:password@host:587 or smtps://user:password@host:465."
    )
    mail_from: str | None = Field(None, description="Sender of our mails.")
    alert_recipients: Annotated[list[str], NoDecode, BeforeValidator(_split)] = Field(
        default_factory=list, description="Who is to be mailed when something is wrong, separated by commas."
    )

    log_format: Literal["console", "json"] = Field("console", description="json for machines.")

    @field_validator("encryption_keys")
    @classmethod
    def _keys_are_fernet(cls, keys: list[SecretStr]) -> list[SecretStr]:
        for key in keys:
            if key.get_secret_value().lower() in PLACEHOLDERS:
                raise ValueError("is a placeholder; make a key with `zohosync key`")
            try:
                Fernet(key.get_secret_value())
            except ValueError as error:
                raise ValueError("is not a Fernet key; make one with `zohosync key`") from error
        return keys

    @field_validator("database_url", "owner_database_url")
    @classmethod
    def _is_postgres(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and urlsplit(url.get_secret_value()).scheme not in {"postgres", "postgresql"}:
            raise ValueError("must start with postgresql://")
        return url

    @field_validator("metrics_token")
    @classmethod
    def _token_is_no_placeholder(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and (
            len(token.get_secret_value()) < SHORTEST_TOKEN or token.get_secret_value().lower() in PLACEHOLDERS
        ):
            raise ValueError(f"must have at least {SHORTEST_TOKEN} characters; make one with `openssl rand -hex 24`")
        return token

    @model_validator(mode="after")
    def _public_metrics_are_guarded(self) -> "Settings":
        loopback = self.metrics_host in {"127.0.0.1", "::1", "localhost"}
        if not loopback and self.metrics_port is not None and self.metrics_token is None:
            raise ValueError("METRICS_TOKEN must be set when METRICS_HOST is not loopback")
        return self

    @field_validator("smtp_url")
    @classmethod
    def _is_smtp(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            parts = urlsplit(url.get_secret_value())
            if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
                raise ValueError("must be smtp://user:password@host:587 or smtps://user:password@host:465")
        return url

    @model_validator(mode="after")
    def _public_console_is_encrypted(self) -> "Settings":
        loopback = self.console_host in {"127.0.0.1", "::1", "localhost"}
        if not loopback and not (self.console_url or "").startswith("https://"):
            raise ValueError("CONSOLE_URL must be an https:// address when CONSOLE_HOST is not loopback")
        return self

    def require_database(self) -> str:
        """The worker's connection string, or SettingsRefused with the remedy."""
        return self._require(
            self.database_url, "ZOHOSYNC_DATABASE_URL", "the worker's role, as `zohosync install` printed it"
        )

    def require_owner(self) -> str:
        """The connection string of the owner of the shop's tables."""
        return self._require(
            self.owner_database_url,
            "ZOHOSYNC_OWNER_DATABASE_URL",
            "the owner of the shop's tables (on Supabase: postgres)",
        )

    def require_keys(self) -> list[str]:
        """The Fernet keys, newest first; at least one."""
        if not self.encryption_keys:
            raise SettingsRefused(
                "ZOHOSYNC_ENCRYPTION_KEYS is not set.",
                hint="Make a key with `zohosync key` and keep it in a safe place.",
            )
        return [key.get_secret_value() for key in self.encryption_keys]

    @model_validator(mode="after")
    def _a_claim_outlasts_a_call(self) -> "Settings":
        if self.visibility_timeout < 3 * self.call_timeout:
            raise ValueError(
                "VISIBILITY_TIMEOUT must be at least three times CALL_TIMEOUT, or no claim outlasts a call"
            )
        return self

    @property
    def accounts_server(self) -> str:
        """Where tokens come from: Zoho's server of the data centre, or the local simulator."""
        return self.sim_url if self.zoho == "sim" else ACCOUNTS_SERVERS[self.data_centre]

    @staticmethod
    def _require(url: SecretStr | None, name: str, whose: str) -> str:
        if url is None:
            raise SettingsRefused(f"{name} is not set.", hint=f"Set it to postgresql://… of {whose}.")
        return url.get_secret_value()


def load_settings(env_file: Path | None = Path(".env"), **overrides: object) -> Settings:
    """Read the settings; SettingsRefused names each bad one and never shows its value."""
    try:
        return Settings(_env_file=env_file, **overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        faults = "; ".join(
            _describe(str(fault["loc"][0]) if fault["loc"] else "", fault["msg"]) for fault in error.errors()
        )
        raise SettingsRefused(f"Settings refused: {faults}.", hint="See docs/reference/settings.md.") from error


def _describe(name: str, message: str) -> str:
    text = message.removeprefix("Value error, ")
    return f"ZOHOSYNC_{name.upper()} {text}" if name else f"ZOHOSYNC_{text}"
