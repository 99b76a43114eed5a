"""So many records of one kind that PostgreSQL had better not read them all."""

from tests.contracts.worlds import execute

# As many as make reading all of them in order the dearer way, and all of one owner: for PostgreSQL, which does not know
# who is asked for, the newest of all are then as good as those that are looked for.
COPIES = 3_000
_COPY = """
insert into {0} select copied.* from {0} r, generate_series(1, {1}) n,
  jsonb_populate_record(r, jsonb_build_object(
    'id', '00000000-0000-7000-8000-' || lpad(n::text, 12, '0'), 'number', n::text,
    'created_at', r.created_at - interval '1 day' - n * interval '1 minute')) copied
"""


async def copy(entity: str) -> None:
    """Copies of the only record that there is, made in the days before it."""
    await execute(_COPY.format(entity, COPIES))
    await execute(f"analyze {entity}")
