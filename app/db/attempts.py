"""How often was something tried, and from which networks was an account signed in to?"""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ARRAY, DateTime, LargeBinary, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import clock


async def count(session: AsyncSession, ends: Mapping[bytes, datetime]) -> Mapping[bytes, tuple[int, datetime]]:
    """One more attempt for each key, whose window ends then if it begins now. How many there were in the present one,
    with this one, and when it ends, by key."""
    # In one order, so that two that share keys wait for each other and do not deadlock.
    keys = sorted(ends)
    counted = await session.execute(_COUNT, {"keys": keys, "ends": [ends[key] for key in keys], "now": clock.now()})
    return {key: (count, ends_at) for key, count, ends_at in counted}


async def uncount(session: AsyncSession, keys: Collection[bytes]) -> None:
    """The attempt was none: it succeeded."""
    await session.execute(_UNCOUNT, {"keys": sorted(keys)})


async def is_known(session: AsyncSession, network: Collection[bytes]) -> bool:
    """Whether one of the keys that a network may have is known."""
    return bool(await session.scalar(_IS_KNOWN, {"keys": list(network)}))


async def know(session: AsyncSession, network: bytes) -> None:
    """Whoever signs in from there next is no stranger."""
    await session.execute(_KNOW, {"key": network, "now": clock.now()})


_IS_KNOWN = text("select exists (select from known_networks where key = any(:keys))").bindparams(
    bindparam("keys", type_=ARRAY(LargeBinary))
)

_COUNT = text("""
insert into sign_in_attempts as a (key, ends_at, count)
select key, ends_at, 1 from unnest(:keys, :ends) t (key, ends_at)
on conflict (key) do update set
  count = case when a.ends_at > :now then a.count + 1 else 1 end,
  ends_at = case when a.ends_at > :now then a.ends_at else excluded.ends_at end
returning key, count, ends_at
""").bindparams(
    bindparam("keys", type_=ARRAY(LargeBinary)),
    bindparam("ends", type_=ARRAY(DateTime(timezone=True))),
)

_UNCOUNT = text("""
with locked as (select key from sign_in_attempts where key = any(:keys) order by key for update)
update sign_in_attempts a set count = greatest(count - 1, 0) from locked where a.key = locked.key
""").bindparams(bindparam("keys", type_=ARRAY(LargeBinary)))

_KNOW = text("""
insert into known_networks (key, used_at) values (:key, :now) on conflict (key) do update set used_at = excluded.used_at
""")
