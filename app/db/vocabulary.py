"""The company's vocabulary and policies as one process keeps them in memory, until their version changes."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

import orjson

from app.domain.entities.vocabulary import Listener, Option, Pipeline, Stage, Vocabulary


class Connection(Protocol):
    async def fetchrow(self, query: str, *values: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Memory:
    """What is the same for all callers. `version` is compared by inequality with what statements bring along."""

    version: str
    vocabulary: Vocabulary
    policies: tuple[tuple[str, str, str, str, str, str], ...]


# What a process's memory of access and vocabulary is compared with, by inequality.
VERSION = "(select string_agg(xid::text, ' ' order by name) from versions)"

# Cast to text: on SQLAlchemy's connections asyncpg would decode JSON itself, on those for reading it does not.
_LOAD = f"""
select
  {VERSION} as version,
  (select to_json(s)::text from settings s) as settings,
  (select coalesce(json_agg(p.id order by p.id), '[]')::text from profiles p) as profiles,
  (select coalesce(json_agg(json_build_array(kind, subject, section, action, field_group, scope) order by id), '[]')
     ::text from policies) as policies,
  (select coalesce(json_agg(json_build_object('picklist', l.key, 'key', o.key, 'active', o.active, 'about', o.about)
     order by l.key, o.position), '[]')::text from options o join picklists l on l.id = o.picklist_id
     where l.archived_at is null) as options,
  (select coalesce(json_agg(to_json(p)), '[]')::text from pipelines p where p.archived_at is null) as pipelines,
  (select coalesce(json_agg(to_json(s) order by s.position), '[]')::text from stages s) as stages,
  (select coalesce(json_agg(json_build_object('id', id, 'owner_id', owner_id, 'trigger', trigger) order by key), '[]')
     ::text from workflows where enabled and archived_at is null) as workflows
"""


async def load(connection: Connection) -> Memory:
    """Read all of it, in one statement and so of one moment."""
    row = await connection.fetchrow(_LOAD)
    settings = orjson.loads(row["settings"])
    options: dict[str, dict[str, Option]] = {}
    for each in orjson.loads(row["options"]):
        options.setdefault(each["picklist"], {})[each["key"]] = _option(each)
    stages: dict[UUID, dict[str, Stage]] = {}
    for each in orjson.loads(row["stages"]):
        stages.setdefault(UUID(each["pipeline_id"]), {})[each["key"]] = _stage(each)
    pipelines = {
        UUID(each["id"]): Pipeline(
            UUID(each["id"]), each["entity"], each["key"], each["default"], stages.get(UUID(each["id"]), {})
        )
        for each in orjson.loads(row["pipelines"])
    }
    workflows = orjson.loads(row["workflows"])
    vocabulary = Vocabulary(
        country=settings["country"],
        currency=settings["currency"],
        time_zone=settings["time_zone"],
        languages=tuple(settings["languages"]),
        customer_number_prefix=settings["customer_number_prefix"],
        minimum_information={name: tuple(fields) for name, fields in settings["minimum_information"].items()},
        options=options,
        pipelines=pipelines,
        profiles=tuple(orjson.loads(row["profiles"])),
        listeners=tuple(_listener(each) for each in workflows if each["trigger"]["kind"] == "event"),
        watching_stays=tuple(UUID(each["id"]) for each in workflows if each["trigger"]["kind"] == "stay"),
    )
    return Memory(row["version"], vocabulary, tuple(tuple(rule) for rule in orjson.loads(row["policies"])))


def _option(row: dict[str, Any]) -> Option:
    about = row["about"]
    amount = {name: Decimal(about[name]) if about.get(name) is not None else None for name in ("min", "max")}
    kinds = tuple(about.get("activity_kinds", ()))
    return Option(row["key"], row["active"], amount["min"], amount["max"], about.get("currency"), kinds)


def _stage(row: dict[str, Any]) -> Stage:
    return Stage(
        key=row["key"],
        position=row["position"],
        kind=row["kind"],
        probability=row["probability"],
        required_fields=tuple(row["required_fields"]),
        allowed_next=tuple(row["allowed_next"]),
        retired=row["retired"],
    )


def _listener(row: dict[str, Any]) -> Listener:
    owner_id = UUID(row["owner_id"]) if row["owner_id"] else None
    return Listener(UUID(row["id"]), owner_id, row["trigger"]["event"], tuple(row["trigger"]["sources"]))
