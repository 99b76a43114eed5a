"""What would an expert write by hand for just these operations, and which indexes would they keep?"""

INDEXED = (
    *("customers", "contacts", "opportunities", "activities", "events", "stage_stays", "match_keys"),
    *("customer_assignees", "assignment_reasons"),
)
INDEXES = """
create index on customers (owner_id, sector, name_key, id) where archived_at is null;
create index on customers (name_key, id) where archived_at is null;
create index on customers using gin (search_open gin_trgm_ops);
create unique index on customers (number);
create index on contacts (customer_id, id);
create index on activities (customer_id, id);
create index on opportunities (customer_id);
create index on opportunities (closed_at) include (owner_id, amount, currency) where stage_kind = 'won';
create index on events (customer_id, occurred_at, id);
create index on match_keys (entity, kind, key);
create unique index on stage_stays (entity, record_id, field) where left_at is null;
"""

CUSTOMER = """
  id, number, name, owner_id, sector, customer_type, origin, country, province, municipality, employees,
    annual_revenue::text, currency, lifecycle_stage, updated_at
"""
WHOLE_CUSTOMER = """
  id, number, kind, name, legal_name, parent_id, relations, referred_by_id, owner_id, description, website, employees,
    annual_revenue::text, currency, annual_revenue_band, won_channel, lead_id, next_activity_at, last_activity_at, tags,
    phones, emails, addresses, social_profiles, preferred_channel, preferred_language, time_zone, origin, origin_detail,
    customer_type, sector, purchase_potential, territory, country, region, province, municipality, lifecycle_stage,
    lifecycle_stage_entered_at, traits, tax_id, payment_terms_days, credit_limit::text, preferred_payment_method,
    birth_day, birth_month, birth_year, important_dates, relatives, hobbies, rewards, version, source, created_at,
    created_by, updated_at, updated_by, archived_at
"""
OPPORTUNITY = """
  id, name, customer_id, opened_at, pipeline_id, stage, stage_kind, stage_entered_at, owner_id,
    amount::text, currency, probability, expected_close_on, closed_at, lost_reason, competitor, competitor_price::text,
    description, lead_id, next_activity_at, last_activity_at, tags, version, source, created_at, created_by, updated_at,
    updated_by, archived_at
"""
CONTACT = """
  id, customer_id, salutation, first_name, last_name, name, job_title, department, role, reports_to_id, "primary",
    former, tags, phones, emails, addresses, social_profiles, preferred_channel, preferred_language, traits, birth_day,
    birth_month, birth_year, important_dates, relatives, hobbies, version, source, created_at, created_by, updated_at,
    updated_by, archived_at
"""
ACTIVITY = """
  id, kind, subject, body, objective, outcome, report, purpose, direction, state, due_at, all_day, starts_at, ends_at,
    done_at, duration_seconds, priority, owner_id, customer_id, opportunity_id, lead_id, location, workflow_run_id,
    tags, version, source, created_at, created_by, updated_at, updated_by, archived_at
"""


def rows(query: str) -> str:
    return f"(select coalesce(json_agg(r), '[]') from ({query}) r)"


LIST = f"""
select {
    rows(
        f"select {CUSTOMER} from customers where owner_id = $1 and sector = $2 and archived_at is null"
        " order by name_key, id limit $3"
    )
}::text
"""

PAGE = f"""
select json_build_object('customer', (select row_to_json(c) from (
  select {WHOLE_CUSTOMER} from customers where id = $1) c),
  'contacts', {
    rows(f"select {CONTACT} from contacts where customer_id = $1 and archived_at is null order by id limit 50")
},
  'activities', {
    rows(f"select {ACTIVITY} from activities where customer_id = $1 and archived_at is null order by id desc limit 20")
},
  'opportunities', {
    rows(
        f"select {OPPORTUNITY} from opportunities where customer_id = $1 and stage_kind = 'open'"
        " and archived_at is null order by id desc limit 50"
    )
},
  'counts', json_build_object(
    'contacts', (select count(*) from contacts where customer_id = $1 and archived_at is null),
    'activities', (select count(*) from activities where customer_id = $1 and archived_at is null),
    'opportunities', (select count(*) from opportunities where customer_id = $1 and archived_at is null),
    'open_opportunities',
      (select count(*) from opportunities where customer_id = $1 and stage_kind = 'open' and archived_at is null)
  ))::text
"""

# The match first: beside ORDER BY and LIMIT the planner would walk the order's index for one fragment in 25.
SEARCH = f"""
with m as materialized (select * from customers where search_open ilike '%' || $1 || '%' and archived_at is null)
select {rows(f"select {CUSTOMER} from m order by id desc limit $2")}::text
"""

BY_KEY = f"""
select coalesce(json_agg(item), '[]')::text, (array_agg(name_key))[50] as name_key, (array_agg(id))[50] as id from (
  select name_key, id, (select row_to_json(i) from (select {CUSTOMER}) i) as item from customers
  where archived_at is null and (name_key, id) > ($1, $2) order by name_key, id limit 50
) r
"""

# A range of the index for each month: to find out the month of each opportunity takes three times as long.
WON = """
select coalesce(json_agg(r), '[]')::text from (
  select to_char(month, 'YYYY-MM') as month, won.* from (
    select date_trunc('month', min(closed_at) at time zone 'Europe/Madrid') as first,
      max(closed_at) at time zone 'Europe/Madrid' as last
    from opportunities where stage_kind = 'won' and archived_at is null
  ) ends, generate_series(first, last, '1 month') month, lateral (
    select owner_id, currency, count(*) as opportunities, sum(amount)::text as amount from opportunities
    where stage_kind = 'won' and archived_at is null and closed_at >= month at time zone 'Europe/Madrid'
      and closed_at < (month + interval '1 month') at time zone 'Europe/Madrid'
    group by 1, 2
  ) won order by 1, 2, 3
) r
"""

TIMELINE = """
select coalesce(json_agg(r), '[]')::text from (
  select id, occurred_at, recorded_at, type, entity, record_id, version, changes, actor, source, operation_id
  from events where customer_id = $1 and (occurred_at, id) < ($2, $3) order by occurred_at desc, id desc limit 50
) r
"""

CREATE = f"""
with given as (
  select * from jsonb_to_record($1::jsonb) as g(name text, website text, sector text, customer_type text, origin text,
    employees int, annual_revenue numeric, currency text, lifecycle_stage text, phones jsonb, emails jsonb,
    addresses jsonb)
), made as (
  insert into customers (id, number, kind, name, name_key, relations, owner_id, assigned, website, employees,
    annual_revenue, currency, tags, phones, emails, addresses, social_profiles, origin, customer_type, sector, country,
    province, municipality, lifecycle_stage, lifecycle_stage_entered_at, traits, important_dates, relatives, hobbies,
    rewards, search_open, search_contact_details, version, source, created_at, created_by, updated_at, updated_by)
  select $2, 'C-' || to_char(nextval('customer_number'), 'FM000000099'), 'company', name, lower(name), '[]', $3, true,
    website, employees, annual_revenue, currency, '{{}}', phones, emails, addresses, '[]', origin, customer_type,
    sector, addresses -> 0 ->> 'country', addresses -> 0 ->> 'province', addresses -> 0 ->> 'municipality',
    lifecycle_stage, now(), '[]', '[]', '[]', '{{}}', '{{}}', lower(name), emails -> 0 ->> 'address', 1, 'api', now(),
    $3, now(), $3 from given
  returning *
), keys as (
  insert into match_keys (record_id, kind, key, entity)
  select id, k.kind, k.key, 'customers' from made, lateral (values ('name', name_key), ('domain', substr(website, 9)),
    ('email', emails -> 0 ->> 'address'), ('phone', phones -> 0 ->> 'number')) k(kind, key)
), pair as (
  insert into customer_assignees (customer_id, user_id, role) select id, $3, 'owner' from made
), stay as (
  insert into stage_stays (entity, record_id, field, stage, entered_at, "by", source)
  select 'customers', id, 'lifecycle_stage', lifecycle_stage, now(), $3, 'api' from made
), event as (
  insert into events (occurred_at, recorded_at, type, entity, record_id, version, customer_id, changes, actor, source,
    operation_id)
  select now(), now(), 'customer.created', 'customers', id, 1, id, (
    select jsonb_object_agg(key, jsonb_build_array(null, value)) from jsonb_each($1::jsonb)), $3, 'api', $4 from made
)
select row_to_json(c)::text from (select {WHOLE_CUSTOMER} from made) c
"""

MOVE = f"""
with old as (
  select id, stage, probability from opportunities where id = $1 for no key update
), moved as (
  update opportunities o set stage = s.key, stage_kind = s.kind, probability = s.probability, stage_entered_at = now(),
    closed_at = case when s.kind <> 'open' then now() end, version = version + 1, updated_at = now(), updated_by = $3
  from old, stages s where o.id = old.id and s.pipeline_id = o.pipeline_id and s.key = $2
  returning o.*, old.stage as old_stage, old.probability as old_probability
), left_stay as (
  update stage_stays s set left_at = now() from moved m
  where s.entity = 'opportunities' and s.record_id = m.id and s.field = 'stage' and s.left_at is null returning s.id
), new_stay as (
  insert into stage_stays (entity, record_id, field, pipeline_id, stage, entered_at, "by", source)
  select 'opportunities', id, 'stage', pipeline_id, stage, now(), $3, 'api' from moved
  where (select count(*) from left_stay) >= 0
), new_event as (
  insert into events (occurred_at, recorded_at, type, entity, record_id, version, customer_id, changes, actor, source,
    operation_id)
  select now(), now(), 'opportunity.stage_changed', 'opportunities', id, version, customer_id,
    jsonb_build_object('stage', jsonb_build_array(old_stage, stage), 'probability',
      jsonb_build_array(old_probability, probability)), $3, 'api', $4 from moved
)
select row_to_json(o)::text from (select {OPPORTUNITY} from moved) o
"""
