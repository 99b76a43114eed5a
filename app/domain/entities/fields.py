"""Declare an entity's fields once; everything else reads the declaration.

From the class of an entity's fields come its create and change models, its answer, the query parameters of its list,
what each profile sees, what a file may fill in, and `docs/fields.md`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo

from app.domain.entities.values import Instant
from app.domain.entities.vocabulary import Vocabulary

Model = TypeVar("Model", bound=BaseModel)
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Spec:
    """What the rest of the system may do with one field. Flags only.

    group: the field group that a profile needs to see it; filter, sort: in lists; search: part of its group's search
    text; picklist: the picklist that its value must be an option of; refers_to: the entity that its id names;
    importable: a file may fill it in; unlisted: in lists only when `fields` names it; derived_from: the section whose
    records it sums up, so that whoever reaches fewer of those than of these does not see it.
    """

    group: str = "open"
    filter: bool = False
    sort: bool = False
    search: bool = False
    picklist: str | None = None
    refers_to: str | None = None
    importable: bool = True
    personal: bool = False
    unlisted: bool = False
    derived_from: str | None = None


class Fields(BaseModel):
    """Base of the classes that declare what an entity consists of; unknown fields are refused, never ignored."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Can(BaseModel):
    """What you may do with a record as it is: one that is archived is restored before anything else.

    assign: make it somebody else's; claim: make it yours, since it is nobody's. Which fields are yours to change tells
    `GET /v1/me`.
    """

    update: bool
    delete: bool
    restore: bool
    assign: bool
    claim: bool


def _with_can(schema: dict[str, Any]) -> None:
    schema["properties"]["can"] = {"$ref": "#/components/schemas/Can"}


class RecordFields(Fields):
    """What every record has and nobody writes."""

    # Not a field: it is about the caller, and only there when `with=can` asks.
    model_config = ConfigDict(json_schema_extra=_with_can)

    id: Annotated[UUID, Field(title="Id"), Spec(filter=True)]
    version: Annotated[int, Field(title="Version")]
    source: Annotated[Literal["api", "import", "form", "workflow", "system"], Field(title="Source"), Spec(filter=True)]
    created_at: Annotated[Instant, Field(title="Created at"), Spec(filter=True, sort=True)]
    created_by: Annotated[UUID, Field(title="Created by"), Spec(filter=True)]
    updated_at: Annotated[Instant, Field(title="Updated at"), Spec(filter=True, sort=True)]
    updated_by: Annotated[UUID, Field(title="Updated by"), Spec(filter=True)]
    archived_at: Annotated[Instant | None, Field(title="Archived at")]


@dataclass(frozen=True)
class Entity:
    """One kind of record: its name (also its section, path and table), its models and its pure rule.

    `complete(new, given, vocabulary)` gets the whole record as it would become and the names that the caller gave; it
    answers the columns that follow from them, and raises `Invalid`, or `NotFound` for what the vocabulary lacks.
    `stays` are the fields whose history is kept as stays. `children` are the fields kept in tables of their own and
    replaced whole. `match_keys` gives the (kind, key) pairs by which another record may turn out to be the same.
    `moved` answers what a move to another stage changes. `final`: what is archived is not restored.
    """

    name: str
    singular: str
    read: type[Fields]
    create: type[Fields]
    update: type[Fields]
    complete: Callable[[Values, set[str], Vocabulary], Values]
    stays: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    match_keys: Callable[[Mapping[str, Any]], Iterator[tuple[str, str]]] | None = None
    moved: Callable[..., Values] | None = None
    final: bool = False

    @property
    def path(self) -> str:
        """What it is called in addresses."""
        return self.name.replace("_", "-")


@cache
def specs(declared: type[BaseModel]) -> dict[str, Spec]:
    """The Spec of each field, by name."""
    return {name: spec(info) for name, info in declared.model_fields.items()}


def spec(info: FieldInfo) -> Spec:
    return next((each for each in info.metadata if isinstance(each, Spec)), Spec())


@cache
def item_models(declared: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """The models of the items of those fields that are lists of objects, by name."""
    return {name: item for name, info in declared.model_fields.items() if (item := nested(info))}


@cache
def with_options(declared: type[BaseModel]) -> tuple[tuple[str, str | None, type[BaseModel] | None], ...]:
    """The fields that hold options of a picklist, themselves or in their items: name, picklist, model of the items."""
    items = item_models(declared)
    found = ((name, each.picklist, items.get(name)) for name, each in specs(declared).items())
    return tuple(each for each in found if each[1] or (each[2] and with_options(each[2])))


@cache
def longest(declared: type[BaseModel]) -> tuple[tuple[str, int], ...]:
    """The fields that are lists, with how many items they hold at most."""
    lists = {name: info.metadata for name, info in declared.model_fields.items() if get_origin(info.annotation) is list}
    limits = ((name, getattr(each, "max_length", None)) for name, metadata in lists.items() for each in metadata)
    return tuple((name, most) for name, most in limits if most is not None)


@cache
def _defaults(declared: type[BaseModel]) -> tuple[Values, tuple[str, ...]]:
    values = {
        name: info.get_default(call_default_factory=True)
        for name, info in declared.model_fields.items()
        if not info.is_required()
    }
    return values, tuple(name for name, value in values.items() if isinstance(value, list))


def defaults(declared: type[BaseModel]) -> Values:
    """What the fields are that are left out. The lists are the caller's own."""
    values, lists = _defaults(declared)
    return values | {name: values[name].copy() for name in lists}


@cache
def groups(declared: type[BaseModel]) -> frozenset[str]:
    """The field groups of an entity, `open` among them."""
    return frozenset(each.group for each in specs(declared).values()) | {"open"}


def nested(info: FieldInfo) -> type[BaseModel] | None:
    """The model of a list field's items, where they are objects."""

    def find(annotation: Any) -> type[BaseModel] | None:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return annotation
        if get_origin(annotation) is not None:
            return next((found for each in get_args(annotation) if (found := find(each))), None)
        return None

    return find(info.annotation)


def partial(cls: type[Model]) -> type[Model]:
    """Every field may be left out; one that is sent must still be valid."""
    return _rebuilt(cls, lambda name: False)


def readable(cls: type[Model]) -> type[Model]:
    """An answer: only the id is always there, since profiles hide fields and `fields` chooses among them."""
    return _rebuilt(cls, lambda name: name == "id")


def _rebuilt(cls: type[Model], required: Callable[[str], bool]) -> type[Model]:
    changed: dict[str, Any] = {
        name: (info.rebuild_annotation(), _field(info, required(name))) for name, info in cls.model_fields.items()
    }
    return create_model(cls.__name__, __base__=cls, __module__=cls.__module__, __doc__=cls.__doc__, **changed)


def _field(info: FieldInfo, required: bool) -> Any:
    kept: dict[str, Any] = {"title": info.title, "description": info.description}
    return Field(**kept) if required else Field(default=None, json_schema_extra=_without_default, **kept)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)
