"""Secrets at rest, under keys that can be changed."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from zohosync.errors import LoginLost


class Vault:
    """Seals with the newest key and opens with any. https://cryptography.io/en/latest/fernet/"""

    def __init__(self, keys: Sequence[str]) -> None:
        """``keys`` are Fernet keys, newest first; at least one."""
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, secret: str) -> bytes:
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """The secret. LoginLost when no key fits, because only connecting again can help then."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise LoginLost(
                "The stored Zoho login cannot be read with the present encryption keys.",
                hint="Put the earlier key back into ZOHOSYNC_ENCRYPTION_KEYS (last in the list), or connect again.",
                code="encryption_key_missing",
            ) from error

    def reseal(self, sealed: bytes) -> bytes:
        """The same secret under the newest key."""
        return self.seal(self.open(sealed))
