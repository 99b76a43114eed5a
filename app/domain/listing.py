"""What a caller asked of a list, held against what they may see: from a `Listing` to a shape and its values."""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import orjson

from app.db.reach import Reach
from app.db.reading import Shape
from app.domain.entities.fields import Entity, specs
from app.domain.entities.values import like_patterns, search_words, word_patterns
from app.errors import FieldError, Invalid
from app.policies.access import Access
from app.settings import derived_keys

SEARCHABLE_GROUPS = ("open", "contact_details")
FUZZY_FROM = 5
ALONG = ("can",)


@dataclass(frozen=True, slots=True)
class Listing:
    """A question to a list: `where` is (field, operator) → value, valid already but not yet allowed.

    along: what comes with each record beside its fields, of `ALONG`.
    """

    where: dict[tuple[str, str], Any] = field(default_factory=dict)
    q: str = ""
    sort: tuple[str, ...] = ()
    fields: tuple[str, ...] | None = None
    limit: int = 50
    cursor: str | None = None
    count: str | None = None
    archived: bool = False
    along: tuple[str, ...] = ()


def record_shape(
    access: Access, entity: Entity, *, within_reach: bool = True, along: tuple[str, ...] = ()
) -> tuple[Shape, dict[str, Any]]:
    """The statement that answers one record, with every field that the caller may see, and the values to bind beside
    `id__is`, its id."""
    reach = access.reach(entity.name) if within_reach else None
    can = access.can(entity) if "can" in along else ()
    columns = shown_columns(access, entity)
    shape = Shape(entity.name, reach, columns, filters=(("id", "is"),), limit=1, archived="any", can=can)
    return shape, _reached(access, reach)


def shown_columns(access: Access, entity: Entity) -> tuple[str, ...]:
    """Every field that the caller may see. Whoever makes records and reads none is told which one it became."""
    return _columns(entity, access.fields(entity), tuple(entity.read.model_fields))


def _reached(access: Access, reach: Reach | None) -> dict[str, Any]:
    reached = list(access.reached(reach.level)) if reach else []
    return {"reached": reached, "can_own": list(access.own), "can_team": list(access.team), "sid": access.session_id}


def list_shape(
    access: Access, entity: Entity, listing: Listing, *, fuzzy: bool = False
) -> tuple[Shape, dict[str, Any]]:
    """The statement that answers a listing, and the values to bind.

    Raises `Forbidden` for a section or field that is hidden, `Invalid` for a cursor of another query.
    """
    access.require(entity.name, "read")
    readable = access.fields(entity)
    asked = {name for name, _ in listing.where} | {key.lstrip("-") for key in listing.sort} | set(listing.fields or ())
    access.require_fields(entity, asked, "read", at="/query")
    reach = access.reach(entity.name)
    if entity.name == "customers" and listing.where.get(("owner_id", "is")) in access.own:
        reach = replace(reach, owned=True)
    elif entity.name == "customers" and reach.level == "own":
        reach = replace(reach, alone=len(access.own) == 1)
    words = search_words(listing.q)
    after, fuzzy_before = _opened(entity, listing) if listing.cursor else (None, fuzzy)
    fuzzy = fuzzy or fuzzy_before
    values: dict[str, Any] = {f"{name}__{operator}": value for (name, operator), value in listing.where.items()}
    values |= _reached(access, reach)
    values |= {
        f"word_{i}": [*word_patterns(word), *(like_patterns(word) if fuzzy else ())] for i, word in enumerate(words)
    }
    values |= {f"after_{i}": value for i, value in enumerate(after or ())}
    return (
        Shape(
            entity=entity.name,
            reach=reach,
            columns=_columns(entity, readable, listing.fields),
            filters=tuple(sorted(listing.where)),
            sort=listing.sort,
            limit=listing.limit,
            after=tuple(value is None for value in after) if after is not None else None,
            words=len(words),
            fuzzy=fuzzy,
            searched=_searched(access, entity) if words else (),
            archived="archived" if listing.archived else "live",
            count=listing.count,
            can=access.can(entity) if "can" in listing.along else (),
        ),
        values,
    )


@lru_cache(maxsize=1024)
def _columns(entity: Entity, readable: frozenset[str], fields: tuple[str, ...] | None) -> tuple[str, ...]:
    """Those of the asked fields that are readable, in the order of the declaration; the id at least."""
    shown = tuple(
        name
        for name, spec in specs(entity.read).items()
        if name in readable and (name in ("id", *fields) if fields else not spec.unlisted)
    )
    return shown or ("id",)


def _searched(access: Access, entity: Entity) -> tuple[str, ...]:
    searchable = {spec.group for spec in specs(entity.read).values() if spec.search}
    return tuple(
        group for group in SEARCHABLE_GROUPS if group in searchable and (entity.name, "read", group) in access.grants
    )


def may_be_misspelt(listing: Listing) -> bool:
    """Whether `q`, having found nothing, is worth a second look that allows for one wrong letter."""
    return not listing.cursor and any(len(word) >= FUZZY_FROM for word in search_words(listing.q))


def next_cursor(entity: Entity, listing: Listing, last: str, fuzzy: bool) -> str:
    """A cursor to what follows a row: its sort values as PostgreSQL gave them, signed for this query."""
    if listing.cursor:  # what the first page of a misspelt search found, the others go on with
        fuzzy = _opened(entity, listing)[1]
    payload = orjson.dumps([fuzzy, orjson.loads(last)])
    signature = _signature(derived_keys("cursor")[0], entity, listing, payload)
    return urlsafe_b64encode(signature + payload).rstrip(b"=").decode()


def _opened(entity: Entity, listing: Listing) -> tuple[list[str | None], bool]:
    cursor = listing.cursor or ""
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        signature, payload = raw[:16], raw[16:]
        made = [_signature(key, entity, listing, payload) for key in derived_keys("cursor")]
        if not any(hmac.compare_digest(signature, each) for each in made):
            raise ValueError
        fuzzy, values = orjson.loads(payload)
    except ValueError:
        problem = FieldError("/query/cursor", "invalid_cursor", "Not a cursor of this query")
        raise Invalid("The cursor does not belong to this query", code="invalid_cursor", errors=[problem]) from None
    return values, bool(fuzzy)


def _signature(key: bytes, entity: Entity, listing: Listing, payload: bytes) -> bytes:
    where = sorted((name, operator, str(value)) for (name, operator), value in listing.where.items())
    query = orjson.dumps([entity.name, where, listing.q, listing.sort, listing.archived])
    return hmac.digest(key, query + payload, hashlib.sha256)[:16]
