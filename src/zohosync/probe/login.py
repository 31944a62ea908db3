"""Questions about the life of a login. They use up logins of their own, never the connected one.

https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token-expiry.html
"""

from datetime import timedelta

from zohosync.errors import RateLimited
from zohosync.probe.ground import Ground
from zohosync.probe.heard import Unsettled
from zohosync.probe.probe import Finding
from zohosync.zoho.spare import SpareLogin

MINTS = 12
"""Two more than Zoho says it gives in ten minutes."""

WINDOW = timedelta(minutes=10, seconds=15)
MOST_LIVE = 30


async def token_answer_has_scope(ground: Ground) -> Finding:
    return Finding(bool(ground.spare().login.scopes))


async def throttle_status(ground: Ground) -> Finding:
    refusal = await use_up(ground.spare())
    if refusal.status not in (200, 400):
        raise Unsettled(f"no position of the switch foresees HTTP {refusal.status}")
    return Finding(refusal.status, note=refusal.vendor_code)


async def use_up(spare: SpareLogin) -> RateLimited:
    """Fetch access tokens until Zoho says it is enough."""
    for _ in range(MINTS):
        try:
            await spare.renew()
        except RateLimited as refusal:
            return refusal
    raise Unsettled(f"Zoho gave {MINTS} access tokens in a row")


async def throttle_counts_per(ground: Ground) -> Finding:
    """One login is used up; does another of the same client still get a token?"""
    first, second = ground.spare(), ground.spare(1)
    await use_up(first)
    try:
        await second.renew()
    except RateLimited:
        return Finding("client")
    return Finding("refresh_token")


async def live_access_tokens(ground: Ground) -> Finding:
    """Fetch tokens until the oldest dies; wait whenever Zoho wants no more."""
    spare = ground.spare()
    while len(spare.tokens) <= MOST_LIVE + 1:
        if not await lives(ground, spare, spare.tokens[0]):
            alive = [token for token in spare.tokens if await lives(ground, spare, token)]
            return Finding(len(alive))
        await renew_patiently(ground, spare)
    return Finding(None, note=f"more than {MOST_LIVE} access tokens live side by side")


async def lives(ground: Ground, spare: SpareLogin, token: str) -> bool:
    heard = await ground.ask_as(spare, token)
    if heard.status not in (200, 401):
        raise heard.unforeseen()
    return heard.status == 200


async def renew_patiently(ground: Ground, spare: SpareLogin) -> None:
    try:
        await spare.renew()
    except RateLimited:
        await ground.sleep(WINDOW)
        await spare.renew()


async def revoke_kills_access_tokens(ground: Ground) -> Finding:
    """The newest access token, a moment after its login was ended."""
    spare = ground.spare()
    token = spare.tokens[-1]
    if not await lives(ground, spare, token):
        raise Unsettled("its access token was dead before")
    if not await spare.revoke():
        raise Unsettled("Zoho did not confirm the end of the login")
    return Finding(not await lives(ground, spare, token))
