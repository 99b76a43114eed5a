"""What each profile may do: Casbin's policies, read once into a table of grants and never asked row by row."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import casbin
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import profiles
from app.db.profiles import Rule as Rule
from app.db.reach import WIDENING
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.fields import groups

MODEL = Path(__file__).with_name("model.conf")
ACTIONS = ("read", "create", "update", "delete", "export", "import", "assign", "merge", "configure")
PARTS = ("settings", "profiles", "jobs")

# Groups that are named in policies before their first field comes, with the issues that bring them.
FORETOLD = {"customers": {"satisfaction"}}

Right = tuple[str, str, str]
Grants = Mapping[Right, str]

logging.getLogger("casbin").setLevel(logging.ERROR)


@cache
def sections() -> dict[str, frozenset[str]]:
    """Every section there is, with its field groups. `*` in a policy means one of these, never anything else."""
    entities = {name: groups(entity.read) | FORETOLD.get(name, set()) for name, entity in ENTITIES.items()}
    return entities | {part: frozenset({"open"}) for part in PARTS}


def scope_ge(have: str, need: str) -> bool:
    """Whether a scope suffices: `-` only for `-`, else the wider for the narrower; anything unknown for nothing."""
    if have == "-" or need == "-":
        return have == need
    return have in WIDENING and need in WIDENING and WIDENING.index(have) >= WIDENING.index(need)


def enforcer(rules: Iterable[Rule]) -> casbin.Enforcer:
    """Casbin over policies, each `(kind, subject, section, action, field_group, scope)`."""
    made = casbin.Enforcer(str(MODEL))
    made.add_function("scopeGe", scope_ge)
    rows = list(rules)
    made.add_policies([list(rule[1:]) for rule in rows if rule[0] == "p"])
    made.add_grouping_policies([list(rule[1:3]) for rule in rows if rule[0] == "g"])
    return made


def compiled(made: casbin.Enforcer, profile: str) -> Grants:
    """(section, action, field group) → the widest scope granted to a profile: own, team, all, or `-` for groups."""
    grants: dict[Right, str] = {}
    for _, section, action, group, scope in _permissions(made, f"profile:{profile}"):
        for right in allowed(section, action, group, scope):
            before = grants.get(right)
            if before is None or scope_ge(scope, before):
                grants[right] = scope
    return grants


def allowed(section: str, action: str, group: str, scope: str) -> Iterator[Right]:
    """What one rule allows of what there is, each at its scope; a rule that is not as it must be, nothing."""
    known = sections()
    if not scope_ge(scope, scope):
        return
    for one in known if section == "*" else [section] if section in known else []:
        for act in ACTIONS if action == "*" else [action] if action in ACTIONS else []:
            for each in known[one] if group == "*" else [group] if group in known[one] else []:
                if (each == "open") != (scope == "-"):
                    yield one, act, each


def beyond(grants: Grants, limit: Grants) -> set[Right]:
    """What is granted, or granted more widely, than the limit grants it."""
    return {right for right, scope in grants.items() if not scope_ge(limit.get(right, ""), scope)}


async def profile_within(session: AsyncSession, profile: str, limit: Grants) -> bool:
    """Whether a profile grants nothing beyond the limit, as it is in this transaction."""
    return not beyond(compiled(enforcer(await profiles.rules(session)), profile), limit)


async def profiles_within(session: AsyncSession, limit: Grants) -> list[str]:
    """The profiles that grant nothing beyond the limit, as they are in this transaction."""
    made = enforcer(await profiles.rules(session))
    kept = [each["id"] for each in await profiles.read(session)]
    return [id for id in kept if not beyond(compiled(made, id), limit)]


async def has_administrator(session: AsyncSession) -> bool:
    """Whether anybody is left who can sign in and configure the profiles and users of all.

    Asked under `user_reach.hold`, so that two who each leave it to the other do not both go.
    """
    made = enforcer(await profiles.rules(session))
    for profile in await profiles.of_active_people(session):
        grants = compiled(made, profile)
        if all(grants.get((section, "configure", "open")) == "all" for section in ("profiles", "users")):
            return True
    return False


def _permissions(made: casbin.Enforcer, subject: str) -> list[list[str]]:
    permissions: list[list[Any]] = made.get_implicit_permissions_for_user(subject)
    return permissions


@cache
def everything() -> Grants:
    """All actions on all fields of all records."""
    return {
        (section, action, group): "all" if group == "open" else "-"
        for section, named in sections().items()
        for action in ACTIONS
        for group in named
    }
