"""The command that makes keys."""

from cryptography.fernet import Fernet

from zohosync.cli import screen


def key() -> None:
    """Make a new key for ZOHOSYNC_ENCRYPTION_KEYS. Put it before the old ones to change keys."""
    screen.show(Fernet.generate_key().decode())
