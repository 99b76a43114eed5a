"""What hangs off the customers of data set D? Contacts, activities, match keys and the ledger.

Millions of rows, made by PostgreSQL itself, the same each time.
"""

import asyncpg

from app.db.models import metadata
from app.domain.entities.values import fold, search_text

FIRST_NAMES = (
    *("Lucía", "Marta", "Nuria", "Irene", "Sofía", "Chiara", "Giulia", "Elena", "Paola", "Silvia"),
    *("Andrés", "Javier", "Íñigo", "Martín", "Raúl", "Marco", "Luca", "Paolo", "Matteo", "Davide"),
)
SUBJECTS = ("First call", "Follow-up call", "Visit on site", "Offer explained", "Demonstration", "Renewal", "Complaint")

# Version 7, in the order of making, as `data.record_id` makes them, and spread by a hash within a millisecond.
FUNCTIONS = """
create schema bench;
create function bench.id(kind int, number bigint) returns uuid immutable language sql as $$
  select (lpad(to_hex(1735689600000 + number), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8'
    || substr(md5(kind || ':' || number), 1, 15))::uuid
$$;
create function bench.chance(number bigint, below int) returns int immutable language sql as $$
  select (hashint8(number) & 2147483647) % below
$$;
create table bench.customers as
  select row_number() over (order by id) - 1 as number, id, owner_id, name_key, website from customers;
create unique index on bench.customers (number);
analyze bench.customers;
"""

CONTACTS = """
insert into contacts (id, customer_id, first_name, last_name, name, name_key, "primary", former, tags, phones, emails,
  addresses, social_profiles, traits, important_dates, relatives, hobbies, search_open, search_contact_details,
  version, source, created_at, created_by, updated_at, updated_by)
select bench.id(4, n), c.id, p.first, p.last, p.first || ' ' || p.last, p.key, n % 2 = 0, false, '{}',
  jsonb_build_array(jsonb_build_object('kind', 'mobile', 'number', '+346' || lpad(n::text, 8, '0'), 'primary', true)),
  jsonb_build_array(jsonb_build_object('address', 'persona' || n || '@empresa' || c.number || '.example',
    'primary', true, 'invalid', false)),
  '[]', '[]', '[]', '[]', '[]', '{}', p.search, 'persona' || n || '@empresa' || c.number || '.example',
  1, 'import', $5, c.owner_id, $5, c.owner_id
from generate_series(0, 2 * (select count(*) from bench.customers) - 1) n
join bench.customers c on c.number = n / 2
join unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality as p(first, last, key, search, place)
  on p.place = 1 + bench.chance(n, cardinality($1::text[]))
order by n
"""

# Three hundred of each thousandth part's first customer, the rest anywhere; one in ten is still to do.
ACTIVITIES = """
insert into activities (id, kind, subject, body, outcome, purpose, direction, state, due_at, all_day, done_at, owner_id,
  customer_id, tags, search_open, version, source, created_at, created_by, updated_at, updated_by)
select bench.id(5, n), (array['call', 'email', 'meeting', 'visit'])[1 + bench.chance(n, 4)],
  s.subject, null, null, 'sales', case when bench.chance(n, 4) < 2 then 'out' end,
  case when planned then 'planned' else 'done' end, at + interval '3 days', false,
  case when not planned then at + interval '2 days' end, c.owner_id, c.id, '{}', s.search,
  1, 'import', at, c.owner_id, at, c.owner_id
from (
  select n, bench.chance(n + 7, 10) = 0 as planned, $3::timestamptz + n * interval '1 minute' / $4 as at,
    case when n < 300000 * $4 then n % (1000 * $4) * 100 else bench.chance(n, 100000 * $4) end as customer
  from generate_series(0, 500000 * $4 - 1) n
) a
join bench.customers c on c.number = a.customer
join unnest($1::text[], $2::text[]) with ordinality as s(subject, search, place)
  on s.place = 1 + bench.chance(n, cardinality($1::text[]))
order by n
"""

KEYS = """
insert into match_keys (record_id, kind, key, entity)
select record_id, kind, key, entity from (
  select id as record_id, 'name' as kind, name_key as key, 'customers' as entity from customers
  union all select id, 'domain', substr(website, 9), 'customers' from customers
  union all select c.id, 'email', e ->> 'address', 'customers' from customers c, jsonb_array_elements(emails) e
  union all select c.id, 'phone', p ->> 'number', 'customers' from customers c, jsonb_array_elements(phones) p
  union all select id, 'name', name_key, 'contacts' from contacts
  union all select c.id, 'email', e ->> 'address', 'contacts' from contacts c, jsonb_array_elements(emails) e
  union all select c.id, 'phone', p ->> 'number', 'contacts' from contacts c, jsonb_array_elements(phones) p
) k order by record_id
"""

EVENTS = """
insert into events (occurred_at, recorded_at, type, entity, record_id, version, customer_id, changes, actor, source,
  operation_id)
select at, at, type, entity, record_id, version, customer_id, changes, actor, 'import',
  bench.id(6, row_number() over ())
from (
  select created_at as at, 'customer.created' as type, 'customers' as entity, id as record_id, 1 as version,
    id as customer_id, owner_id as actor, jsonb_build_object('name', jsonb_build_array(null, name),
      'sector', jsonb_build_array(null, sector), 'website', jsonb_build_array(null, website)) as changes
  from customers
  union all
  select created_at, 'contact.created', 'contacts', id, 1, customer_id, created_by,
    jsonb_build_object('first_name', jsonb_build_array(null, first_name), 'last_name',
      jsonb_build_array(null, last_name), 'emails', jsonb_build_array(null, emails)) from contacts
  union all
  select opened_at, 'opportunity.created', 'opportunities', id, 1, customer_id, created_by,
    jsonb_build_object('name', jsonb_build_array(null, name), 'stage', jsonb_build_array(null, 'reception'),
      'amount', jsonb_build_array(null, amount::text), 'currency', jsonb_build_array(null, currency))
  from opportunities
  union all
  select stage_entered_at, 'opportunity.stage_changed', 'opportunities', id, 2, customer_id, created_by,
    jsonb_build_object('stage', jsonb_build_array('reception', stage)) from opportunities where stage <> 'reception'
  union all
  select created_at, 'activity.created', 'activities', id, 1, customer_id, created_by,
    jsonb_build_object('kind', jsonb_build_array(null, kind), 'subject', jsonb_build_array(null, subject),
      'state', jsonb_build_array(null, state), 'due_at', jsonb_build_array(null, due_at)) from activities
) e order by at
"""


async def plant(connection: asyncpg.Connection, surnames: tuple[str, ...], began: object, size: int) -> None:
    """All of it; customers and opportunities are there."""
    people = [(first, last) for first in FIRST_NAMES for last in surnames]
    folded = [fold(f"{first} {last}") for first, last in people]
    searched = [search_text(f"{first} {last}") for first, last in people]
    tables = ("contacts", "activities", "match_keys", "events")
    indexes = [index for table in tables for index in await without_indexes(connection, table)]
    await connection.execute(FUNCTIONS)
    await connection.execute(CONTACTS, *map(list, zip(*people, strict=True)), folded, searched, began)
    await connection.execute(ACTIVITIES, list(SUBJECTS), [search_text(each) for each in SUBJECTS], began, size)
    await connection.execute(KEYS)
    await connection.execute(EVENTS)
    for definition in indexes:
        await connection.execute(definition)
    await connection.execute("drop schema bench cascade")


async def without_indexes(connection: asyncpg.Connection, table: str) -> list[str]:
    """Drop the indexes that no constraint needs, and answer how they are made: faster when the rows are there."""
    assert table in metadata.tables
    found = await connection.fetch(
        "select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index"
        " where indrelid = $1::text::regclass and not exists (select from pg_constraint where conindid = indexrelid)",
        table,
    )
    for row in found:
        await connection.execute(f"drop index {row['name']}")
    return [row["definition"] for row in found]
