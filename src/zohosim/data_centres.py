"""Zoho's data centres and the faces the simulator shows for them.

Addresses: https://www.zoho.com/crm/developer/docs/api/v8/multi-dc.html and the official SDK's data centre classes.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DataCentre:
    name: str
    accounts: str
    api: str


DATA_CENTRES: tuple[DataCentre, ...] = (
    DataCentre("us", "accounts.zoho.com", "www.zohoapis.com"),
    DataCentre("eu", "accounts.zoho.eu", "www.zohoapis.eu"),
    DataCentre("in", "accounts.zoho.in", "www.zohoapis.in"),
    DataCentre("au", "accounts.zoho.com.au", "www.zohoapis.com.au"),
    DataCentre("jp", "accounts.zoho.jp", "www.zohoapis.jp"),
    DataCentre("ca", "accounts.zohocloud.ca", "www.zohoapis.ca"),
    DataCentre("cn", "accounts.zoho.com.cn", "www.zohoapis.com.cn"),
    DataCentre("sa", "accounts.zoho.sa", "www.zohoapis.sa"),
    DataCentre("uk", "accounts.zoho.uk", "www.zohoapis.uk"),
    DataCentre("ae", "accounts.zoho.ae", "www.zohoapis.ae"),
)

BY_NAME = {centre.name: centre for centre in DATA_CENTRES}
BY_HOST = {host: centre for centre in DATA_CENTRES for host in (centre.accounts, centre.api)}


@dataclass(frozen=True, slots=True)
class Face:
    """Where a request arrived: the data centre it spoke to and the base addresses that belong to it."""

    centre: str
    accounts: str
    api: str
    home: str
    """Base address of the process itself, without a data centre prefix; empty behind Zoho's own host names."""

    def accounts_of(self, centre: str, default: str) -> str:
        """Accounts address of another data centre, reached the same way as this one was."""
        if not self.home:
            return f"https://{BY_NAME[centre].accounts}"
        return self.home if centre == default else f"{self.home}/dc/{centre}"


def face_of(scheme: str, host: str, prefix: str, default: str, api_base: str | None) -> Face:
    """The face for one request.

    A Zoho host name (in-process clients may use them) says the data centre by itself; on any other
    host the path prefix `/dc/{name}` does, and no prefix means `default`. `api_base` overrides the
    address told as `api_domain`.
    """
    centre = BY_HOST.get(host.split(":", 1)[0])
    if centre is not None:
        return Face(centre.name, f"https://{centre.accounts}", api_base or f"https://{centre.api}", "")
    home = f"{scheme}://{host}"
    name = prefix or default
    base = home if not prefix else f"{home}/dc/{prefix}"
    return Face(name, base, api_base or base, home)
