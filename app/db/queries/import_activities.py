"""How do activities from a file come by the customer of what they are about, and what sums them up by them?"""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.next_activities import recompute


async def take_customers(session: AsyncSession, hold: bool) -> None:
    """Each row that names an opportunity or a lead names its customer, too; one that names another is refused.

    hold: these keep their customer until the transaction ends.
    """
    for field, entity in (("opportunity_id", "opportunities"), ("lead_id", "leads")) if hold else ():
        await session.execute(text(_HOLD.format(entity=entity)), {"field": field})
    for statement in (_REFUSE, _KNOW, _NAME):
        await session.execute(statement)


async def sum_up(session: AsyncSession, left: Iterable[tuple[UUID | None, UUID | None]]) -> None:
    """Bring up to date what sums up the written activities. left: customers and opportunities where they were."""
    pairs = [*left, *((row.customer_id, row.opportunity_id) for row in await session.execute(_OF))]
    await recompute(session, {one for one, _ in pairs if one}, {other for _, other in pairs if other})


_HOLD = """
select count(*) from (select from {entity} where id in (select record_id from named where field = :field)
  order by id for no key update) held
"""

_MEANT = """
select i.row, said.record_id as said, t.customer_id as before, coalesce(o.customer_id, l.customer_id) as customer_id
from incoming i
left join activities t on t.id = i.record_id and not i.is_new
left join named said on said.field = 'customer_id' and said.key = i.data -> 'named' -> 'customer_id' ->> 0
left join named o_named on o_named.field = 'opportunity_id'
  and o_named.key = i.data -> 'named' -> 'opportunity_id' ->> 0
left join named l_named on l_named.field = 'lead_id' and l_named.key = i.data -> 'named' -> 'lead_id' ->> 0
left join opportunities o on o.id = coalesce(o_named.record_id, t.opportunity_id)
left join leads l on l.id = coalesce(l_named.record_id, t.lead_id)
where i.errors is null and (o.id is not null or l.id is not null)
"""

_REFUSE = text(f"""
update incoming set errors = jsonb_build_array(jsonb_build_object('row', incoming.row, 'field', 'customer_id',
  'code', 'customer_mismatch', 'message', 'It has the customer of what it is about'))
from ({_MEANT}) m where incoming.row = m.row
  and (m.said is distinct from m.customer_id and m.said is not null
    or m.said is null and m.customer_id is null and m.before is not null)
""")

_KNOW = text(f"""
insert into named (field, key, said, record_id, times)
select distinct 'customer_id', m.customer_id::text, m.customer_id::text, m.customer_id, 1
from ({_MEANT}) m where m.said is null and m.customer_id is not null on conflict do nothing
""")

_NAME = text(f"""
update incoming set data = jsonb_set(data, '{{named,customer_id}}',
  jsonb_build_array(m.customer_id::text, m.customer_id::text))
from ({_MEANT}) m where incoming.row = m.row and m.said is null and m.customer_id is not null
""")

_OF = text("""
select distinct t.customer_id, t.opportunity_id from incoming i join activities t on t.id = i.record_id
where i.errors is null and (i.is_new or i.is_changed)
""")
