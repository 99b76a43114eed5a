"""Why does a reach take in a record, or not? In reasons, for people: what is decided, `Access` and its SQL decide."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.db.profiles import Rule
from app.db.reach import Reach
from app.policies.access import Access
from app.policies.profiles import Right, allowed


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides about one record: the users assigned to its customer (or to itself, if it is one), its owner, and
    the lead or opportunity that it is about, where it has neither: its section and, without a customer, its owner."""

    entity: str
    id: UUID
    owned: bool
    owner_id: UUID | None
    customer_id: UUID | None
    assigned: tuple[UUID, ...]
    about: tuple[str, UUID | None] | None


def reasons(person: Access, reach: Reach, facts: Facts, action: str) -> list[str]:
    """The codes, as of `texts/explanations.py`, why the reach takes in the record for reading or another action, or
    why it does not."""
    if reach.level is None:
        return ["not_granted"]
    if reach.level == "all":
        return ["reaches_all"]
    reached = frozenset(person.reached(reach.level))
    if facts.entity == "users":
        return ["themselves" if facts.id in reached else "not_owner"]
    customers = facts.entity == "customers"
    found = []
    if facts.customer_id is not None and (customers or not facts.owned or action == "read"):
        if reached & set(facts.assigned):
            found.append("assigned")
        if not facts.assigned and (reach.nobodys if customers else reach.nobodys_customers):
            found.append("nobodys")
        return found or ["not_assigned"]
    if facts.owner_id in reached:
        found.append("owner")
    if facts.owned and facts.owner_id is None and reach.nobodys:
        found.append("nobodys")
    elif facts.about and facts.about[0] in reach.about and facts.about[1] in reached:
        found.append("about")
    return found or ["not_owner"]


def naming(rules: Iterable[Rule], profile: str, right: Right) -> list[Mapping[str, Any]]:
    """The policies that grant the right to the profile, its own first: profile, inherited, section, action,
    field_group, reach."""
    rules = list(rules)
    heirs = [f"profile:{profile}"]
    for heir in heirs:  # grows as more are found
        heirs += [rule[2] for rule in rules if rule[:2] == ("g", heir) and rule[2] not in heirs]
    return [
        {
            "profile": subject.removeprefix("profile:"),
            "inherited": subject != heirs[0],
            "section": section,
            "action": action,
            "field_group": group,
            "reach": None if scope == "-" else scope,
        }
        for heir in heirs
        for kind, subject, section, action, group, scope in rules
        if kind == "p" and subject == heir and right in allowed(section, action, group, scope)
    ]
