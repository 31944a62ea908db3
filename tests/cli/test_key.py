"""key: making one, and sealing every secret again."""

import re

from cryptography.fernet import Fernet

from cli.conftest import Command, Shop, refused
from zohosync.zoho.vault import Vault

SECRETS = "select client_secret, refresh_token, access_token from zohosync.connection"


def insert_login(shop: Shop, key: str) -> None:
    """A login and a consent that is on its way, sealed under the key."""
    sealed = [Vault([key]).seal(secret).hex() for secret in ("secret", "refresh", "access", "asked")]
    shop.execute(
        f"""insert into zohosync.connection (state, data_centre, accounts_server, api_domain, client_id, client_secret,
                                             refresh_token, access_token)
            values ('connected', 'in', 'https://accounts.zoho.in', 'https://www.zohoapis.in', 'id', '\\x{sealed[0]}',
                    '\\x{sealed[1]}', '\\x{sealed[2]}')""",
        consent(sealed[3], "+ interval '5 minutes'"),
    )


def consent(sealed: str, when: str) -> str:
    return f"""insert into zohosync.consent (state_hash, client_id, client_secret, accounts_server, redirect_uri,
                                             requested_by, expires_at)
               values ('\\x{sealed[:8] or "00"}', 'id', '\\x{sealed}', 'a', 'b', 'c', now() {when})"""


def with_keys(shop: Shop, *keys: str) -> dict[str, str]:
    return {**shop.env, "ZOHOSYNC_ENCRYPTION_KEYS": ",".join(keys)}


def test_resealing_puts_every_secret_under_the_newest_key(command: Command, installed: Shop) -> None:
    old, new = installed.env["ZOHOSYNC_ENCRYPTION_KEYS"], Fernet.generate_key().decode()
    insert_login(installed, old)
    told = command("key", "--reseal", **with_keys(installed, new, old))
    assert told.exit_code == 0, told.output
    assert told.stdout == "4 secrets are sealed under the newest key; the older keys can go.\n"
    [row] = installed.fetch(SECRETS)
    assert [Vault([new]).open(bytes(value)) for value in row.values()] == ["secret", "refresh", "access"]
    [row] = installed.fetch("select client_secret from zohosync.consent")
    assert Vault([new]).open(bytes(row["client_secret"])) == "asked"
    assert installed.fetch("select detail from zohosync.audit where action = 'key.reseal'") == [
        {"detail": {"secrets": 4}}
    ]


def test_when_one_secret_cannot_be_opened_nothing_changes(command: Command, installed: Shop) -> None:
    insert_login(installed, installed.env["ZOHOSYNC_ENCRYPTION_KEYS"])
    before = installed.fetch(SECRETS)
    result = command("key", "--reseal", **with_keys(installed, Fernet.generate_key().decode()))
    refused(result, 1, "cannot be read with the present encryption keys", "earlier key back")
    assert installed.fetch(SECRETS) == before
    assert not installed.fetch("select 1 from zohosync.audit where action = 'key.reseal'")


def test_expired_consents_stand_in_nobodys_way(command: Command, installed: Shop) -> None:
    installed.execute(consent("", "- interval '1 minute'"))
    assert command("key", "--reseal", **installed.env).stdout.startswith("0 secrets")


def test_a_key_needs_no_settings(command: Command) -> None:
    assert re.fullmatch(r"[\w=-]{44}\n", command("key").stdout)
