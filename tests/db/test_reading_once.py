"""What a file or an activity brings up to date is looked up where it is, not by going through all for each."""

from uuid import UUID, uuid4

from sqlalchemy import text

from app.db.next_activities import recompute
from app.db.queries import import_references, import_rows
from app.db.session import transaction
from tests.api.records import make
from tests.conftest import Client
from tests.contracts.worlds import execute, fetch
from tests.db.many import COPIES, copy, read_of

ROWS = 1_000


async def test_rows_that_are_one_with_refused_rows_are_refused_each_by_itself(administrator: Client) -> None:
    """Half of the file, where the planner knows of as many rows and believes that none is refused."""
    id = uuid4()
    await execute(
        """
        insert into import_rows (import_id, row, record_id, data)
        select $1, n, case when n % 2 = 1 then gen_random_uuid() end,
          case when n % 2 = 1 then '{"values": {}}' else jsonb_build_object('same_as', n - 1) end
        from generate_series(1, $2) n
        """,
        id,
        ROWS,
    )
    await execute("update pg_class set reltuples = 1000, relpages = 12 where oid = 'public.import_rows'::regclass")
    async with transaction("system") as session:
        await import_rows.set_out(session, id)
        await session.execute(text("""update incoming set errors = '[{"code": "unknown_reference"}]'"""))
        before = await read_of(session, "import_rows")
        counts = await import_rows.settle(session, id, ROWS, {})
        assert await read_of(session, "import_rows") - before < 20 * ROWS
    assert counts == {"created": 0, "updated": 0, "unchanged": 0, "refused": ROWS, "merged": 0}
    told = await fetch("select row, errors -> 0 ->> 'row' as said from import_rows where import_id = $1", id)
    assert {each["row"] for each in told} == {int(each["said"]) for each in told} == set(range(1, ROWS + 1))


async def test_a_file_names_more_that_is_not_there_than_a_statement_takes_values(database: None) -> None:
    names = 40_000
    async with transaction("system") as session:
        await import_rows.set_out(session, uuid4())
        for statement in (
            """insert into incoming (row, data) select n, jsonb_build_object('named', jsonb_build_object('customer_id',
              jsonb_build_array('none ' || n, 'None ' || n))) from generate_series(1, :names) n""",
            """insert into named (field, key, said, times) select 'customer_id', 'none ' || n, 'None ' || n, n / :names
              from generate_series(1, :names) n""",
        ):
            await session.execute(text(statement), {"names": names})
        found = await import_references.rows_of_unresolved(session, "customer_id", None)
    assert dict(found) == {n: f"none {n}" for n in range(1, names)}, "The last is found"


async def test_the_next_activity_of_others_is_not_sought_among_those_of_few(administrator: Client) -> None:
    """The planner knows the activities of seven, and takes any other for one of them."""
    busy = [UUID((await make(administrator, "customers", name=f"Busy {n}"))["id"]) for n in range(7)]
    call = {"kind": "call", "subject": "Call", "customer_id": str(busy[0])}
    await make(administrator, "activities", **call, due_at="2020-01-01T10:00:00Z")
    await copy("activities")
    await execute("update activities set customer_id = ($1::uuid[])[1 + abs(hashtext(id::text)) % 7]", busy)
    await execute(
        "update activities set state = 'done', done_at = due_at, outcome = 'reached' where id::text like '%1'"
    )
    await execute("analyze activities")
    quiet = [UUID((await make(administrator, "customers", name=f"Quiet {n}"))["id"]) for n in range(10)]
    async with transaction("system") as session:
        before = await read_of(session, "activities")
        await recompute(session, [*quiet, *busy], [])
        assert await read_of(session, "activities") - before < COPIES
    found = await fetch("select next_activity_at, last_activity_at from customers where id = any($1)", busy)
    assert {f"{at:%F}" for each in found for at in each} == {"2020-01-01"}
