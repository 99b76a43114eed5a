"""What each profile may do: Casbin's policies, read once into a table of grants and never asked row by row."""

import logging
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import casbin

from app.db.reach import WIDENING
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.fields import groups

MODEL = Path(__file__).with_name("model.conf")
ACTIONS = ("read", "create", "update", "delete", "export", "import", "assign", "merge", "configure")
PARTS = ("settings",)

# Groups that are named in policies before their first field comes, with the issues that bring them.
FORETOLD = {"customers": {"satisfaction"}}

Grants = Mapping[tuple[str, str, str], str]
Rule = tuple[str, str, str, str, str, str]

logging.getLogger("casbin").setLevel(logging.ERROR)


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
    known = sections()
    grants: dict[tuple[str, str, str], str] = {}
    for _, section, action, group, scope in _permissions(made, f"profile:{profile}"):
        for one in known if section == "*" else [section] if section in known else []:
            for act in ACTIONS if action == "*" else [action] if action in ACTIONS else []:
                for each in known[one] if group == "*" else [group] if group in known[one] else []:
                    if (each == "open") == (scope == "-") or not scope_ge(scope, scope):
                        continue
                    before = grants.get((one, act, each))
                    if before is None or scope_ge(scope, before):
                        grants[one, act, each] = scope
    return grants


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
