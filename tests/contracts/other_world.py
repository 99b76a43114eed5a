"""The other world: the same database, but for what somebody may not see."""

from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Boolean, Column, Date, DateTime, Integer, Numeric, String, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from app import clock
from app.db.models import table_of
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.fields import specs
from tests.contracts.worlds import World, execute, fetch

CANARY = "canary"
CANARIES = [f"{CANARY}{number}" for number in range(4)]
WORDS = ["muñoz", "rossi", "smith", "hermanos", "acero", "vino", "logistics", "software", "madrid", "torino"]
# What others may be changed without the database's own rules, or reach itself, being broken.
KEPT = {"id", "archive_id", "assigned", "stage", "stage_kind", "closed_at", "lost_reason", "pipeline_id", "parent_id"}
KEPT |= {"converted_at", "discard_reason", "done_at"}


@dataclass(frozen=True)
class Sight:
    """What a profile does not see: relations of other people's records, whole kinds, and groups of fields."""

    foreign: frozenset[str]
    unseen: frozenset[str]
    hidden: dict[str, set[str]]


@dataclass
class Other:
    """The other world: changes in place what one may not see."""

    world: World
    sight: Sight
    caller: UUID
    stranger: UUID
    random: Random

    async def change(self) -> None:
        foreign = self.foreign()
        for kind, entity in ENTITIES.items():
            rows = [row["id"] for row in await fetch(f'select id from "{kind}"')]
            hidden = self.sight.hidden.get(kind, set())
            fields = {
                name
                for name, spec in specs(entity.read).items()
                if spec.group in hidden or spec.derived_from in self.sight.unseen
            }
            unseen = rows if kind in self.sight.unseen else [id for id in rows if id in foreign]
            for id in rows:
                if id == self.caller:
                    continue  # One's own account is open to oneself.
                if id in unseen:
                    await self.overwrite(kind, id, {column.name for column in table_of(kind).c} - KEPT)
                    if self.random.random() < 0.5:
                        await self.copy(kind, id)
                else:
                    texts = {"search_contact_details"} if "contact_details" in hidden else set()
                    await self.overwrite(kind, id, fields | texts)
                await self.rewrite_history(id, None if id in unseen else fields)
        await self.assign_anew(foreign)
        await self.remove()

    def foreign(self) -> set[UUID]:
        """The records that are out of sight, but for those of kinds that are unseen altogether."""
        known = self.world.records
        customers = {ids["customers"] for name, ids in known.items() if name.partition("-")[0] in self.sight.foreign}
        return customers | {id for ids in known.values() if ids["customers"] in customers for id in ids.values()}

    async def overwrite(self, kind: str, id: UUID, names: set[str]) -> None:
        columns = [column for column in table_of(kind).c if column.name in names]
        values = {column.name: value for column in columns if (value := self.value(kind, column)) is not None}
        if "name" in values:
            values["name"] = values["search_open"] = f"{self.random.choice(WORDS)} {self.canary()}"
            values["name_key"] = values["name"]
        if values:
            given = ", ".join(f'"{name}" = new."{name}"' for name in values)
            await execute(
                f'update "{kind}" t set {given} from jsonb_populate_record(null::"{kind}", $2::text::jsonb) new'
                " where t.id = $1",
                id,
                orjson.dumps(values, default=str).decode(),
            )

    def value(self, kind: str, column: Column[Any]) -> Any:
        """Any value that the column takes; None leaves it as it is."""
        if column.name in ("kind", "state", "channel", "direction") or column.foreign_keys or column.primary_key:
            return None
        match column.type:
            case Uuid():
                return None
            case Boolean():
                return self.random.random() < 0.5
            case Integer():
                return self.random.randint(1, 28)
            case Numeric():
                return self.random.randint(1, 9999)
            case DateTime() | Date():
                return (clock.now() - timedelta(days=self.random.randint(1, 900))).isoformat()
            case ARRAY():
                return [self.canary()]
            case JSONB():
                return {} if kind == "imports" else [{self.canary(): self.canary()}]
            case String() as text:
                return self.canary()[: text.length]
        return None

    def canary(self) -> str:
        return f"{self.random.choice(CANARIES)}x{self.random.randint(1, 10**6)}"

    async def copy(self, kind: str, id: UUID) -> None:
        """One more like it."""
        new = UUID(int=self.random.getrandbits(128))
        unique = {"customers": "number", "users": "username_key", "messages": "message_id", "workflow_runs": "episode"}
        unique |= {"templates": "key", "forms": "key", "workflows": "key"}
        changes = {"id": str(new)} | ({unique[kind]: self.canary()} if kind in unique else {})
        changes |= {"tax_id": self.canary()} if kind == "customers" else {}
        await execute(
            f'insert into "{kind}" select (jsonb_populate_record(t, $2::text::jsonb)).* from "{kind}" t where id = $1',
            id,
            orjson.dumps(changes).decode(),
        )
        if kind == "customers":
            await execute(
                "insert into customer_assignees (customer_id, user_id, role) values ($1, $2, 'owner')",
                new,
                self.stranger,
            )

    async def rewrite_history(self, id: UUID, hidden: set[str] | None) -> None:
        """Old and new values of hidden fields; of a record that is hidden itself (None), all there is."""
        for row in await fetch("select id, changes::text from events where record_id = $1", id):
            changes = orjson.loads(row["changes"])
            names = set(changes) if hidden is None else set(changes) & hidden
            if hidden and self.random.random() < 0.5:
                names.add(self.random.choice(sorted(hidden)))
            changes |= {name: [self.canary(), self.canary()] for name in names}
            await execute(
                "update events set changes = $2::text::jsonb where id = $1", row["id"], orjson.dumps(changes).decode()
            )
            if hidden is None and self.random.random() < 0.3:
                await execute(
                    "insert into events (occurred_at, recorded_at, type, entity, record_id, version, customer_id,"
                    " changes, actor, source, operation_id) select occurred_at, recorded_at, type, entity, record_id,"
                    " version, customer_id, changes, actor, source, operation_id from events where id = $1",
                    row["id"],
                )
        if hidden is None:
            await execute("update stage_stays set note = $2 where record_id = $1", id, self.canary())

    async def assign_anew(self, foreign: set[UUID]) -> None:
        """Foreign customers are assigned to the administrator too, whom nobody reaches."""
        await execute(
            "insert into customer_assignees (customer_id, user_id) select id, $2 from customers where id = any($1)"
            " on conflict do nothing",
            list(foreign),
            self.world.administrator.user_id,
        )

    async def remove(self) -> None:
        """Some are gone altogether, with all that belonged to them."""
        if "doomed" in self.sight.foreign:
            doomed = [ids for name, ids in self.world.records.items() if name.startswith("doomed")]
            customers = [ids["customers"] for ids in doomed]
            fresh = [ids["leads"] for ids in doomed]
            await execute(
                "set local session_replication_role = replica;"
                + ";".join(
                    f"delete from {table} where customer_id = any(array[{listed(customers)}]::uuid[])"
                    for table in (
                        *("contacts", "leads", "opportunities", "activities", "messages"),
                        *("customer_assignees", "assignment_reasons", "events"),
                    )
                )
                + f";delete from leads where id = any(array[{listed(fresh)}]::uuid[])"
                + f";delete from customers where id = any(array[{listed(customers)}]::uuid[])"
            )


def listed(ids: list[UUID]) -> str:
    return ", ".join(f"'{id}'" for id in ids)
