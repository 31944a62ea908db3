"""Clocks and the way to the mail server, well and unwell."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from conftest import Database
from doctor.practice import BY_NAME, Dated, look_once, patient_of
from stage import Stage, open_stage
from zohosync.clock import SystemClock
from zohosync.config import load_settings
from zohosync.errors import SettingsRefused
from zohosync.mail import MailRefused, probe
from zohosync.sync.doctor.examine import examine
from zohosync.sync.doctor.finding import Finding, Level


class Late(SystemClock):
    """A machine whose clock is behind by a minute."""

    def now(self) -> datetime:
        return super().now() - timedelta(minutes=1)


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened


async def skew_of(stage: Stage, check: str, **changes: Any) -> Finding:
    async with patient_of(stage, transport=Dated(stage)) as patient:
        (finding,) = await examine(replace(patient, **changes), [BY_NAME[check]])
        return finding


@pytest.mark.parametrize(("check", "whose"), [("clock_skew", "the database"), ("clock_skew_zoho", "Zoho")])
async def test_a_clock_that_is_a_minute_late_is_wrong(stage: Stage, check: str, whose: str) -> None:
    assert (await skew_of(stage, check)).level is Level.OK
    finding = await skew_of(stage, check, clock=Late())
    assert finding.level is Level.WRONG
    assert (
        f"60 s behind the one of {whose}" in finding.sentence or f"59 s behind the one of {whose}" in finding.sentence
    )


async def test_a_zoho_that_is_ahead_is_told_so(stage: Stage) -> None:
    ahead = Dated(stage, fast=timedelta(minutes=-5))
    finding = await look_once(stage, "clock_skew_zoho", transport=ahead)
    assert finding.level is Level.WRONG
    assert "ahead of" in finding.sentence


async def test_a_zoho_that_tells_no_time_is_not_judged(stage: Stage) -> None:
    assert (await look_once(stage, "clock_skew_zoho")).level is Level.NOT_CHECKED


class Postbox:
    """Counts what arrives, which must be nothing."""

    def __init__(self) -> None:
        self.mails = 0

    async def handle_DATA(self, *_: object) -> str:  # noqa: N802
        self.mails += 1
        return "250 OK"


def admit(_server: object, _session: object, _envelope: object, _mechanism: str, sent: object) -> AuthResult:
    right = isinstance(sent, LoginPassword) and (sent.login, sent.password) == (b"shop@example.com", b"p@ss")
    return AuthResult(success=right, handled=False)


@asynccontextmanager
async def mail_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, Postbox]]:
    """A mail server on a free port; ``tls`` encrypts it from the first byte."""
    box, loop = Postbox(), asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(box, authenticator=admit, auth_require_tls=False, loop=loop), "127.0.0.1", 0, ssl=tls
    )
    async with server:
        yield server.sockets[0].getsockname()[1], box


def certificate(folder: Path) -> Path:
    """Key and certificate of 127.0.0.1, which vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "server.pem"
    path.write_bytes(plain + made.public_bytes(pem))
    return path


async def test_without_a_mail_server_it_says_that_nobody_is_mailed(stage: Stage) -> None:
    finding = await look_once(stage, "smtp", offline=True)
    assert finding.level is Level.REMARK
    assert "NOBODY WILL BE MAILED" in finding.sentence
    assert "This release does not mail yet; alerts come in a later release." in finding.sentence


async def test_a_mail_server_is_tried_and_gets_no_mail(stage: Stage) -> None:
    async with mail_server() as (port, box):
        url = f"smtp://shop%40example.com:p%40ss@127.0.0.1:{port}"
        finding = await look_once(stage, "smtp", offline=True, smtp_url=url, mail_from="zohosync@example.com")
    assert finding.level is Level.REMARK
    assert "answers (not encrypted, signed in); nothing was sent." in finding.sentence
    assert "ZOHOSYNC_ALERT_RECIPIENTS is not set" in finding.sentence
    assert "NOBODY WILL BE MAILED" in finding.sentence
    assert box.mails == 0


async def test_a_refused_password_is_wrong(stage: Stage) -> None:
    async with mail_server() as (port, _):
        url = f"smtp://shop%40example.com:wrong-secret@127.0.0.1:{port}"
        finding = await look_once(stage, "smtp", offline=True, smtp_url=url)
    assert finding.level is Level.WRONG
    assert "refused user or password" in finding.sentence
    assert "wrong-secret" not in str(finding)


async def test_a_mail_server_that_is_not_there_is_wrong(stage: Stage) -> None:
    finding = await look_once(stage, "smtp", offline=True, smtp_url="smtp://127.0.0.1:9")
    assert finding.level is Level.WRONG
    assert "cannot be reached" in finding.sentence


async def test_a_certificate_counts_only_when_somebody_vouches_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem = certificate(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(pem)
    async with mail_server(tls) as (port, box):
        with pytest.raises(MailRefused, match="its certificate is not trusted"):
            await probe(f"smtps://127.0.0.1:{port}")
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        found = await probe(f"smtps://shop%40example.com:p%40ss@127.0.0.1:{port}")
    assert (found.encrypted, found.signed_in, box.mails) == (True, True, 0)


async def test_a_silent_mail_server_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(MailRefused, match="did not answer in time"):
            await probe(f"smtp://127.0.0.1:{port}", patience=timedelta(seconds=0.5))


@pytest.mark.parametrize("url", ["http://mail.example.com", "smtp://", "mail.example.com:587"])
def test_an_address_that_is_none_of_mail_is_refused(url: str) -> None:
    with pytest.raises(SettingsRefused, match="ZOHOSYNC_SMTP_URL must be smtp"):
        load_settings(None, smtp_url=url)
