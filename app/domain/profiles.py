"""What one can do with profiles: read them, make, change and delete them, and never grant what one lacks oneself."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid5

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import ledger, profiles, seeds, user_reach
from app.db.profiles import Rule
from app.db.session import operation_of, transaction
from app.domain.consequences import shown
from app.domain.entities import rules
from app.domain.entities.fields import Values
from app.domain.entities.profiles import DEEPEST, ProfileCreate, ProfileUpdate
from app.domain.own_limits import require_within
from app.domain.records import names_version
from app.errors import Conflict, FieldError, Forbidden, Stale
from app.policies.access import Access, Reason, not_found
from app.policies.profiles import (
    ACTIONS,
    Right,
    allowed,
    beyond,
    compiled,
    enforcer,
    has_administrator,
    scope_ge,
    sections,
)

SECTION = "profiles"
COPIED = ("policies", "inherits", "second_factor_required")
EVERY = "*"


async def read_all(session: AsyncSession, access: Access) -> list[Values]:
    access.require(SECTION, "configure")
    return await profiles.read(session)


async def read(session: AsyncSession, access: Access, id: str) -> Values:
    """Raises `NotFound`."""
    access.require(SECTION, "configure")
    found = await profiles.read(session, id)
    if not found:
        raise not_found("profile")
    return found[0]


async def create(session: AsyncSession, access: Access, data: ProfileCreate) -> Values:
    """A new profile, or a copy of another with what is given in the place of the copied.

    Raises `Invalid`; `Forbidden`, code `exceeds_own_profile`, where it grants what the caller lacks; `Conflict`, code
    `duplicate`, where there is one of this id.
    """
    access.require(SECTION, "configure")
    await user_reach.hold(session)
    kept = {each["id"]: each for each in await profiles.read(session)}
    given = rules.given_values(data)
    id, copy_of = given.pop("id"), given.pop("copy_of", None)
    if id in kept:
        problem = FieldError("/id", "duplicate", "Another profile has this id")
        raise Conflict("id is taken", code="duplicate", errors=[problem])
    if copy_of is not None and copy_of not in kept:
        raise rules.invalid([rules.unknown_option("/copy_of", "copy_of", copy_of, kept)])
    start = {"policies": [], "inherits": [], "second_factor_required": False}
    copied = {name: kept[copy_of][name] for name in COPIED} if copy_of else {}
    after = start | copied | given
    _check(id, after, kept)
    await _check_grants(session, access, id, after, dict.fromkeys(copied.keys() - given.keys(), "/copy_of"))
    values = {name: after[name] for name in ("labels", "second_factor_required")}
    await profiles.make(session, id, values, access.user_id)
    await profiles.replace_rules(session, id, _rules_of(id, after))
    changes = {name: [None, after[name]] for name in ("labels", *COPIED)}
    return await _written(session, access, id, "created", changes)


async def change(session: AsyncSession, access: Access, id: str, data: ProfileUpdate, if_match: str | None) -> Values:
    """Change a profile, in force with everybody's next request; without a difference nothing is written.

    Raises `NotFound`, `Stale`, `Invalid`, `Forbidden` as `create` does, and `Conflict`, code `last_administrator`.
    """
    access.require(SECTION, "configure")
    await user_reach.hold(session)
    before = await read(session, access, id)
    _unchanged_since(before, if_match)
    changed = {name: value for name, value in rules.given_values(data).items() if value != before[name]}
    if not changed:
        return before
    after = before | changed
    _check(id, after, {each["id"]: each for each in await profiles.read(session)})
    await _check_grants(session, access, id, after)
    if changed.get("second_factor_required") is False:
        await require_within(session, access, id, "/second_factor_required")
    columns = {name: value for name, value in changed.items() if name in ("labels", "second_factor_required")}
    await profiles.change(session, id, columns, access.user_id)
    if changed.keys() & {"policies", "inherits"}:
        await profiles.replace_rules(session, id, _rules_of(id, after))
        await keep_an_administrator(session)
    return await _written(session, access, id, "changed", {name: [before[name], after[name]] for name in changed})


async def reset_from_command_line(id: str) -> None:
    """Give a profile the policies that it was shipped with: the way back where no administrator may do it any more.

    Raises `NotFound` for a profile that is not there, or was never shipped.
    """
    rows = seeds.shipped(id)
    if not rows:
        raise not_found("shipped profile")
    policies: list[Values] = [
        {name: row[name] for name in ("section", "action", "field_group")}
        | {"reach": None if row["scope"] == "-" else row["scope"]}
        for row in rows
        if row["kind"] == "p"
    ]
    inherits = [row["section"].removeprefix("profile:") for row in rows if row["kind"] == "g"]
    data = ProfileUpdate.model_validate({"policies": policies, "inherits": inherits})
    async with transaction("system") as session:
        access = Access.system(Reason.COMMAND_LINE)
        await change(session, access, id, data, None)


async def delete(session: AsyncSession, access: Access, id: str, if_match: str | None) -> None:
    """Delete a profile that nothing uses. Raises `NotFound`, `Stale`, `Conflict`, code `in_use`, and `Forbidden`, code
    `exceeds_own_profile`: with another by its id, who gets that later would have lost what the caller lacks."""
    access.require(SECTION, "configure")
    # First the row and then the rest, in the order of those who give the profile to somebody.
    await profiles.lock(session, id)
    await user_reach.hold(session)
    before = await read(session, access, id)
    _unchanged_since(before, if_match)
    await require_within(session, access, id)
    if uses := await profiles.uses(session, id):
        raise Conflict(f"There are {' and '.join(uses)} with this profile", code="in_use")
    await profiles.remove(session, id)
    _tell(session, access, before, "deleted", {name: [before[name], None] for name in ("labels", *COPIED)})
    await seeds.remember_anew(session)


async def keep_an_administrator(session: AsyncSession) -> None:
    """Raise `Conflict` if nobody is left who could let people in. Asked under `user_reach.hold`."""
    if not await has_administrator(session):
        raise Conflict("The last active administrator must remain one", code="last_administrator")


def _unchanged_since(profile: Values, if_match: str | None) -> None:
    if not names_version(if_match, profile["version"]):
        raise Stale("The profile changed since the version that If-Match names", extra={"version": profile["version"]})


async def _written(
    session: AsyncSession, access: Access, id: str, verb: str, changes: Mapping[str, list[Any]]
) -> Values:
    after = await read(session, access, id)
    _tell(session, access, after, verb, changes)
    await seeds.remember_anew(session)
    return after


def _tell(session: AsyncSession, access: Access, profile: Values, verb: str, changes: Mapping[str, list[Any]]) -> None:
    """The ledger knows records by UUIDs: a profile's is made of its key."""
    operation = operation_of(session)
    ledger.event(
        operation.pending,
        type=f"profile.{verb}",
        entity=SECTION,
        record_id=uuid5(seeds.SYSTEM_USER, f"profile:{profile['id']}"),
        version=profile["version"],
        customer_id=None,
        changes={name: [shown(old), shown(new)] for name, (old, new) in changes.items() if old != new},
        actor=access.user_id,
        source=operation.source,
        operation_id=operation.id,
    )


def _check(id: str, profile: Values, kept: Mapping[str, Values]) -> None:
    """Raise unless every name is known, nothing is there twice, and inheritance neither closes nor goes too deep."""
    problems = [*_unknown_names(profile["policies"]), *_wrong_reaches(profile["policies"])]
    problems += _duplicates("policies", profile["policies"])
    problems += _duplicates("inherits", profile["inherits"])
    for position, each in enumerate(profile["inherits"]):
        if each == id:
            problems.append(FieldError(f"/inherits/{position}", "names_itself", "Must be another profile"))
        elif each not in kept:
            problems.append(rules.unknown_option(f"/inherits/{position}", "inherits", each, kept))
    if problems:
        raise rules.invalid(problems)
    parents = {each: profile["inherits"] for each, profile in kept.items()} | {id: profile["inherits"]}
    loops = [at for at, each in enumerate(profile["inherits"]) if id in _above(each, parents)]
    if loops:
        message = "It comes back to itself: no profile inherits itself through others"
        errors = [FieldError(f"/inherits/{position}", "loop", message) for position in loops]
        raise Conflict("A chain of profiles must not close", code="loop", errors=errors)
    reached = set(parents)
    for _ in range(DEEPEST + 1):
        reached = {above for each in reached for above in parents.get(each, ())}
    if reached:
        problem = FieldError("/inherits", "too_deep", f"Inheritance goes over {DEEPEST} steps at most")
        raise rules.invalid([problem])


def _unknown_names(policies: Sequence[Values]) -> Iterator[FieldError]:
    known = sections()
    for position, each in enumerate(policies):
        groups = known.get(each["section"], {group for groups in known.values() for group in groups})
        for name, names in (("section", known), ("action", ACTIONS), ("field_group", sorted(groups))):
            if each[name] not in (EVERY, *names):
                yield rules.unknown_option(f"/policies/{position}/{name}", name, each[name], names)


def _wrong_reaches(policies: Sequence[Values]) -> Iterator[FieldError]:
    for position, each in enumerate(policies):
        pointer = f"/policies/{position}/reach"
        if each["field_group"] == "open" and each["reach"] is None:
            yield FieldError(pointer, "required_information", "The group open needs a reach: own, team or all")
        if each["field_group"] != "open" and each["reach"] is not None:
            yield FieldError(pointer, "not_applicable", "Only the group open has a reach; the others have the same")


def _duplicates(name: str, items: Sequence[Any]) -> Iterator[FieldError]:
    for position, each in enumerate(items):
        if each in items[:position]:
            yield FieldError(f"/{name}/{position}", "duplicate", "It is in the list already")


def _above(id: str, parents: Mapping[str, Collection[str]]) -> set[str]:
    """The profile and all that it inherits, directly or through others."""
    found, left = {id}, [id]
    while left:
        new = set(parents.get(left.pop(), ())) - found
        found |= new
        left += new
    return found


def _rules_of(id: str, profile: Values) -> list[Rule]:
    subject = f"profile:{id}"
    permissions: list[Rule] = [
        ("p", subject, each["section"], each["action"], each["field_group"], each["reach"] or "-")
        for each in profile["policies"]
    ]
    return permissions + [("g", subject, f"profile:{each}", "", "", "") for each in profile["inherits"]]


async def _check_grants(
    session: AsyncSession, access: Access, id: str, profile: Values, places: Mapping[str, str] | None = None
) -> None:
    """Raise `Forbidden` where the profile newly grants what the caller lacks, with the pointers to what does; or grants
    no more, or less widely, what the caller lacks: those who may do more could be made to do less, and then be taken
    over by a new password.

    Those that inherit it are granted nothing new, and lose nothing, that it does not: asking of the profile alone is
    enough. places: where the body says what is not said by a field of its own.
    """
    places = places or {}
    before = await profiles.rules(session)
    written = _rules_of(id, profile)
    after = enforcer([rule for rule in before if rule[1] != f"profile:{id}"] + written)
    granted, known = compiled(after, id), compiled(enforcer(before), id)
    if beyond(known, granted) & beyond(known, access.grants):
        message = "It takes away what your own profile does not grant"
        raise Forbidden(message, code="exceeds_own_profile")
    lacking = beyond(granted, access.grants) & beyond(granted, known)
    if not lacking:
        return

    def offends(rights: Mapping[Right, str]) -> bool:
        return any(right in lacking and not scope_ge(access.grants.get(right, ""), rights[right]) for right in rights)

    pointers = [
        places.get("policies") or f"/policies/{position}"
        for position, (_, _, *rule) in enumerate(written[: len(profile["policies"])])
        if offends(dict.fromkeys(allowed(*rule), rule[-1]))
    ]
    pointers += [
        places.get("inherits") or f"/inherits/{position}"
        for position, each in enumerate(profile["inherits"])
        if offends(compiled(after, each))
    ]
    message = "It grants more than your own profile does"
    errors = [FieldError(pointer, "exceeds_own_profile", message) for pointer in dict.fromkeys(pointers)]
    raise Forbidden(message, code="exceeds_own_profile", errors=errors)
