"""How often may a password, a code or a mail be asked for? Each attempt counts before it is made.

What is limited is mostly an account from a network: a stranger elsewhere does not use up its owner's attempts.
Strangers together are limited too, and then an account is open only from networks that it was signed in to from before.
"""

import hmac
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import attempts
from app.db.session import transaction
from app.errors import TooMany
from app.settings import derived_keys

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PER_ACCOUNT = 5
PER_ADDRESS = 20
# Of all strangers together, in an hour. A password that is not common withstands more than that for ages.
BY_STRANGERS = 50


@dataclass(frozen=True, slots=True)
class Limit:
    """So many attempts in a window at `key`, which tells names and addresses apart and does not say them."""

    key: bytes
    most: int
    window: timedelta


def limit(most: int, window: timedelta, *what: str) -> Limit:
    """A limit to what the words name, such as ("address", "192.0.2.1")."""
    return Limit(_keys(*what)[0], most, window)


async def count(*limits: Limit, account: str | None = None, network: str = "") -> tuple[Limit, ...]:
    """Count an attempt. Which limits it counts towards: those given, and that of strangers where `account` is given and
    never was signed in to from the network. Raises `TooMany` if one of them is over.
    """
    async with transaction() as session:
        wait = await _counted(session, limits)
        # What is refused anyway is none that strangers made.
        if not wait and account is not None and not await attempts.is_known(session, _known(account, network)):
            strangers = limit(BY_STRANGERS, HOUR, "strangers", account)
            wait, limits = await _counted(session, (strangers,)), (*limits, strangers)
    if wait:
        raise TooMany("Too many attempts; try again later", headers={"Retry-After": str(wait)})
    return limits


async def succeeded(session: AsyncSession, limits: tuple[Limit, ...]) -> None:
    """The attempt that was counted was none."""
    await attempts.uncount(session, [each.key for each in limits])


async def know(session: AsyncSession, account: str, network: str) -> None:
    """Who comes from this network is the account's owner."""
    await attempts.know(session, _known(account, network)[0])


async def _counted(session: AsyncSession, limits: tuple[Limit, ...]) -> int:
    """For how many seconds to wait, 0 if no limit is over."""
    now = clock.now()
    counted = await attempts.count(session, {each.key: now + each.window for each in limits})
    waits = [ends_at - now for each in limits for count, ends_at in [counted[each.key]] if count > each.most]
    return max((max(1, int(wait.total_seconds()) + 1) for wait in waits), default=0)


def _known(account: str, network: str) -> list[bytes]:
    return _keys("network", account, network)


def _keys(*parts: str) -> list[bytes]:
    """What stands for the words: what is written first, then what was written with secrets that are still accepted."""
    said = "\0".join(parts).encode()
    return [hmac.digest(key, said, "sha256") for key in derived_keys("sign-in attempts")]
