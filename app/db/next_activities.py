"""When is the next activity with a customer or for an opportunity, and when was the last? Kept on both, for lists.

The columns sum up activities that are there: they raise no version and are told in no event. Nor does, where all
that is said of an activity is its day, the instant at which that begins.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def follow(session: AsyncSession, events: Iterable[Mapping[str, Any]]) -> None:
    """Bring up to date what sums up the activities of which these lines of the ledger tell.

    Nothing changes an activity without a line in the ledger: so this is the one place to look.
    """
    told = [event for event in events if event["entity"] == "activities"]
    if not told:
        return
    # Those that an activity has left stand in what changed, as texts; those where it is now are read.
    left = {
        name: {UUID(old) for event in told for old in event["changes"].get(name, ())[:1] if old}
        for name in ("customer_id", "opportunity_id")
    }
    found = await session.execute(_OF, {"ids": [event["record_id"] for event in told]})
    now = [(row.customer_id, row.opportunity_id) for row in found]
    customers = left["customer_id"] | {customer_id for customer_id, _ in now if customer_id}
    opportunities = left["opportunity_id"] | {opportunity_id for _, opportunity_id in now if opportunity_id}
    await recompute(session, customers, opportunities)


async def recompute(session: AsyncSession, customers: Collection[UUID], opportunities: Collection[UUID]) -> None:
    """Sum up anew the activities of these customers and opportunities, which stay locked until the transaction ends.

    They are locked first and in order: the statements after that see what those committed who were waited for.
    """
    for entity, ids in (("opportunities", opportunities), ("customers", customers)):
        if ids:
            await session.execute(_LOCK[entity], {"ids": list(ids)})
    for entity, ids in (("opportunities", opportunities), ("customers", customers)):
        if ids:
            await session.execute(_SUM_UP[entity], {"ids": list(ids)})


async def keep_days(session: AsyncSession, old_time_zone: str, time_zone: str) -> None:
    """What is due on a day is due on that day still where the company's days begin at another instant."""
    found = (await session.execute(_KEEP_DAYS, {"old": old_time_zone, "new": time_zone})).all()
    customers = {row.customer_id for row in found if row.customer_id}
    await recompute(session, customers, {row.opportunity_id for row in found if row.opportunity_id})


_KEEP_DAYS = text("""
update activities set due_at = cast(cast(due_at at time zone :old as date) as timestamp) at time zone :new
where all_day and due_at is not null returning customer_id, opportunity_id
""")

_OF = text("select distinct customer_id, opportunity_id from activities where id = any(:ids)")

_LOCK = {
    entity: text(f"select from {entity} where id = any(:ids) order by id for no key update")
    for entity in ("opportunities", "customers")
}

# A customer may have thousands: an index each knows the first that is planned and the last that is done. With "=" and
# min() the planner may go through everybody's by their days, where it last saw the activities of few customers. Of an
# opportunity all are read; asked by state, a planner that knows little of the table looks through everybody's.
_FOUND = {
    "customers": """
  select e.id, (
      select a.due_at from activities a
      where a.customer_id between e.id and e.id and a.due_at is not null and a.state = 'planned'
        and a.archived_at is null
      order by a.customer_id, a.due_at limit 1
    ) as next_at, (
      select a.done_at from activities a
      where a.customer_id between e.id and e.id and a.done_at is not null and a.state = 'done'
        and a.archived_at is null
      order by a.customer_id desc, a.done_at desc limit 1
    ) as last_at
  from customers e where e.id = any(:ids)
""",
    "opportunities": """
  select e.id, a.next_at, a.last_at
  from opportunities e cross join lateral (
    select min(due_at) filter (where state = 'planned') as next_at,
      max(done_at) filter (where state = 'done') as last_at
    from activities where opportunity_id = e.id and archived_at is null
  ) a
  where e.id = any(:ids)
""",
}

_SUM_UP = {
    entity: text(f"""
update {entity} t set next_activity_at = s.next_at, last_activity_at = s.last_at
from ({found}) s
where t.id = s.id and (t.next_activity_at, t.last_activity_at) is distinct from (s.next_at, s.last_at)
""")
    for entity, found in _FOUND.items()
}
