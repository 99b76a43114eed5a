"""Is every declared field a column, or made from other tables, and do the two agree about null and length?"""

from types import NoneType
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter
from pydantic.fields import FieldInfo
from sqlalchemy import ARRAY, Column, String, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from app.db.models import table_of
from app.db.models.computed import COMPUTED
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.fields import Entity, Fields, defaults, spec, specs

# Left out or null in a body, and filled in before the row is written.
FILLED_IN = {("opportunities", "opened_at"), ("opportunities", "probability"), ("opportunities", "pipeline_id")}
FILLED_IN |= {("activities", "state")}
# What is given when a record is made, and stays.
SAID_ONCE = {("opportunities", "pipeline_id"), ("leads", "pipeline_id"), ("users", "service")}
SAID_ONCE |= {("api_keys", name) for name in ("user_id", "scopes", "expires_at")}
WRITABLE = [entity for entity in ENTITIES.values() if entity.create is not Fields]
# Texts that are one of a closed set which no list of options holds.
CLOSED = {"kind", "currency", "profile_id"}
FIELDS = [(entity, name, info) for entity in ENTITIES.values() for name, info in entity.read.model_fields.items()]
GIVEN = [(entity, name, info) for entity in WRITABLE for name, info in entity.create.model_fields.items()]


def by_name(value: Any) -> str:
    return value.name if isinstance(value, Entity) else value if isinstance(value, str) else ""


def nullable(info: FieldInfo) -> bool:
    return NoneType in get_args(info.annotation)


def longest(info: FieldInfo) -> int | None:
    """The longest text that the field takes, as its schema says; None if it says nothing."""
    schema = TypeAdapter(info.rebuild_annotation()).json_schema()
    if schema.get("type") == "array":
        return None
    longest = [0]
    for each in [schema, *schema.get("anyOf", [])]:
        closed = [*each.get("enum", ()), each.get("const", "")]
        longest += [each.get("maxLength", 0), *(len(value) for value in closed)]
    return max(longest) or None


@pytest.mark.parametrize(("entity", "name", "info"), FIELDS, ids=by_name)
def test_every_field_of_an_answer_is_a_column_or_computed(entity: Entity, name: str, info: FieldInfo) -> None:
    table, computed = table_of(entity.name), COMPUTED.get(entity.name, {})
    assert (name in table.c) != (name in computed)
    if name in computed:
        assert not spec(info).filter
        assert not spec(info).sort
        return
    column: Column[Any] = table.c[name]
    if column.nullable:
        assert nullable(info), "the answer would break its own contract"


@pytest.mark.parametrize(("entity", "name", "info"), GIVEN, ids=by_name)
def test_what_a_body_may_give_can_be_stored(entity: Entity, name: str, info: FieldInfo) -> None:
    if name in entity.children:
        assert name in COMPUTED[entity.name]
        return
    column: Column[Any] = table_of(entity.name).c[name]
    if (entity.name, name) not in FILLED_IN:
        assert nullable(info) == column.nullable
    most = longest(info)
    if isinstance(column.type, String) and not isinstance(column.type, Text) and column.type.length:
        if most is None:
            assert spec(info).picklist or name in CLOSED, "a text without a limit"
        else:
            assert most <= column.type.length


@pytest.mark.parametrize("entity", WRITABLE, ids=by_name)
def test_every_column_is_declared_or_belongs_to_the_house(entity: Entity) -> None:
    house = {"archive_id", "name_key", "username_key", "search_open", "search_contact_details", "password_hash"}
    # What would let somebody else be the one who has the key.
    house |= {"hash", "session_id"} if entity.name == "api_keys" else set()
    table: Table = table_of(entity.name)
    assert set(table.c.keys()) - set(entity.read.model_fields) <= house


@pytest.mark.parametrize("entity", WRITABLE, ids=by_name)
def test_lists_and_objects_have_columns_that_hold_them(entity: Entity) -> None:
    for name, default in defaults(entity.create).items():
        if isinstance(default, list) and name not in entity.children:
            column = table_of(entity.name).c[name]
            assert isinstance(column.type, ARRAY | JSONB), name
            assert not column.nullable, name


@pytest.mark.parametrize("entity", WRITABLE, ids=by_name)
def test_create_and_change_take_the_same_fields_with_the_same_flags(entity: Entity) -> None:
    create, update, read = specs(entity.create), specs(entity.update), specs(entity.read)
    assert {(entity.name, name) for name in set(create) - set(update)} <= SAID_ONCE
    assert set(update) <= set(create)
    assert set(create) <= set(read)
    differing = {name for name in update if create[name] != read[name] or update[name] != read[name]}
    assert not differing
