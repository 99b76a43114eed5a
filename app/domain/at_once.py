"""Which writes are one statement, a transaction of its own? Those of one record, from what one look at it tells.

Each answers None where a write takes more than that, or where the record or the caller's access changed meanwhile;
nothing was written then, and a transaction does it as it does everything: `records`, `stages`.
"""

from uuid import UUID

from pydantic import BaseModel

from app import clock
from app.db import writing
from app.db.models import RECORDS
from app.db.session import Operation
from app.db.vocabulary import Connection
from app.db.writing import Held, Written
from app.domain import records, references, stages
from app.domain.entities import rules
from app.domain.entities.fields import Entity, Values, specs
from app.domain.entities.stages import Move
from app.domain.listing import shown_columns
from app.policies.access import Access


async def create(connection: Connection, access: Access, entity: Entity, data: BaseModel) -> Written | None:
    """A new record that names none but its maker, without lists that are tables of their own."""
    # Asked before the rules, which the transaction would only ask again.
    given = rules.given_values(data)
    if references.named(access, entity, given):
        return None
    now = clock.now()
    _, values = records.new_values(access, entity, given, now)
    if any(values.pop(name) for name in entity.children):
        return None
    operation = Operation()
    begun = values | {"created_at": now, "updated_at": now}
    held = access.new_at_once(RECORDS[entity.name], operation.source, begun)
    prefix = access.vocabulary.customer_number_prefix if entity.name == "customers" else None
    records.tell_of_new(operation, access, entity, held.values, values)
    return await _write(connection, access, entity, operation, held, held.values, prefix)


async def move(connection: Connection, access: Access, entity: Entity, id: UUID, to: Move) -> Written | None:
    """A record moves to another stage, as `stages.move` has it."""
    held = await access.row_at_once(connection, RECORDS[entity.name], id)
    at = clock.now()  # once its version is read: its stays follow one another
    values = stages.moved(access, entity, held.values, to, at)
    columns = records.differing(held.values, values)
    if held.values["archived_at"] is not None or columns.keys().isdisjoint(specs(entity.read)):
        return None
    changed = {name: (held.values[name], value) for name, value in columns.items()}
    columns = records.stamped(access, entity, held.values, columns, at)
    operation = Operation()
    records.tell_of_change(operation, access, entity, held.values | columns, changed, "stage_changed", to.note)
    return await _write(connection, access, entity, operation, held, columns)


async def _write(
    connection: Connection,
    access: Access,
    entity: Entity,
    operation: Operation,
    held: Held,
    columns: Values,
    number_prefix: str | None = None,
) -> Written | None:
    # Workflows are promised, or somebody may become the first assignee of a customer.
    if operation.before_commit or operation.pending.reasons:
        return None
    shown = shown_columns(access, entity)
    return await writing.write(connection, held, columns, operation.pending, shown, number_prefix)
