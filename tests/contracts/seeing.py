"""Who sees what? The rule of the design told anew, in plain Python: apart from `app/policies`, and from SQL altogether.

A profile decides which sections and fields somebody works with and how far that reaches; the customer decides which
rows.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.entities.catalog import ENTITIES
from app.domain.entities.fields import groups, specs

Row = dict[str, Any]
Rows = dict[str, list[Row]]
WIDENING = ("none", "own", "team", "all")
# What everybody knows of the company: what can be chosen is no secret, as every form offers it.
VOCABULARY = ("picklists", "pipelines")


@dataclass(frozen=True)
class Rules:
    """A profile. reads: section → own, team or all; groups: section → the field groups beyond `open` that it reads;
    does: (section, action) → reach, for what is not reading."""

    reads: Mapping[str, str]
    groups: Mapping[str, Collection[str]] = field(default_factory=dict)
    does: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def level(self, section: str) -> str:
        return self.reads.get(section, "none")

    def narrower(self, section: str, other: str) -> str:
        return min(self.level(section), self.level(other), key=WIDENING.index)

    def assigns(self, section: str) -> bool:
        return (section, "assign") in self.does

    def policies(self, subject: str) -> list[tuple[str, str, str, str, str]]:
        """As rows of the table: subject, section, action, field group, scope."""
        found = [(subject, section, "read", "open", level) for section, level in self.reads.items()]
        found += [(subject, section, "read", group, "-") for section, named in self.groups.items() for group in named]
        for (section, action), level in self.does.items():
            found.append((subject, section, action, "open", level))
            if action in ("create", "update"):
                found += [(subject, section, action, group, "-") for group in self.groups.get(section, ())]
        return found

    def hidden(self, kind: str) -> set[str]:
        """The fields of a kind of record that the profile does not see in those that it does."""
        readable = {"open", *self.groups.get(kind, ())}
        return {
            name
            for name, spec in specs(ENTITIES[kind].read).items()
            if spec.group not in readable
            or (spec.derived_from and self.narrower(kind, spec.derived_from) != self.level(kind))
        }


def of(own: str = "", team: str = "", everything: str = "", does: str = "", **named: str) -> Rules:
    """A profile in words: the sections that it reads at each reach, `section.action` for what else it does, and the
    groups that it reads beside `open`."""
    levels = (("own", own), ("team", team), ("all", everything + " picklists pipelines users products templates"))
    reads = {section: level for level, sections in levels for section in sections.split()}
    done = [tuple(each.split(".")) for each in does.split()]
    return Rules(
        reads,
        {kind: named[kind].split() for kind in named},
        {(section, action): reads[section] for section, action in done},
    )


def all_groups(kind: str) -> str:
    return " ".join(sorted(groups(ENTITIES[kind].read) - {"open"}))


WORK = "customers contacts leads opportunities activities messages"
PERSONAL = "contact_details segmentation personal_profile"
SHIPPED = {
    "sales": of(own=WORK, customers=f"{PERSONAL} billing satisfaction", contacts=PERSONAL),
    "manager": of(
        own="imports",
        team=WORK,
        does=" ".join(f"{section}.assign" for section in WORK.split()),
        customers=f"{PERSONAL} billing satisfaction",
        contacts=PERSONAL,
        users="account",
    ),
    "marketing": of(
        own="imports",
        everything=f"{WORK} forms submissions",
        does="leads.assign",
        customers="contact_details segmentation",
        contacts="contact_details segmentation",
    ),
    "support": of(
        everything="customers contacts activities messages",
        customers="contact_details satisfaction",
        contacts="contact_details",
    ),
}


@dataclass(frozen=True)
class Crew:
    """Who works under whom, and who stands in today for whom: user → manager, absent user → substitute."""

    managers: Mapping[str, str]
    substitutes: Mapping[str, str]

    def reached(self, user: str, level: str) -> set[str]:
        """Whose records count for somebody: their own and those of whom they stand in for, or also those below."""
        found = {user} | {absent for absent, substitute in self.substitutes.items() if substitute == user}
        return found | {each for each in self.managers if self._above(each) & found} if level == "team" else found

    def _above(self, user: str) -> set[str]:
        above: set[str] = set()
        while (user := self.managers.get(user, "")) and user not in above:
            above.add(user)
        return above


@dataclass(frozen=True)
class Eyes:
    """Somebody with a profile. `rows`: the records of each kind by their tables, `customer_assignees` among them."""

    user: str
    rules: Rules
    crew: Crew

    def changes(self, kind: str, row: Row, rows: Rows) -> bool:
        """Whether a record that is seen may be changed: customers by whoever is assigned, the rest by whose it is."""
        level = self.rules.does.get((kind, "update"), "none")
        if level in ("none", "all"):
            return level == "all"
        whose = {row["owner_id"]} - {None}
        if kind == "customers":
            whose = {pair["user_id"] for pair in rows["customer_assignees"] if pair["customer_id"] == row["id"]}
        takes_nobodys = level == "team" and self.rules.assigns(kind)
        return bool(whose & self.crew.reached(self.user, level)) or (takes_nobodys and not whose)

    def seen(self, rows: Rows) -> dict[str, set[str]]:
        """The ids of the records that are seen, by kind."""
        assignees: dict[str, set[str]] = {row["id"]: set() for row in rows.get("customers", ())}
        for pair in rows["customer_assignees"]:
            assignees.setdefault(pair["customer_id"], set()).add(pair["user_id"])
        by_id = {row["id"]: row for kind in ("leads", "opportunities") for row in rows.get(kind, ())}
        return {
            kind: {row["id"] for row in rows.get(kind, ()) if self._sees(kind, row, assignees, by_id)}
            for kind in ENTITIES
        }

    def _sees(self, kind: str, row: Row, assignees: dict[str, set[str]], by_id: dict[str, Row]) -> bool:
        through = "customer_id" in row and kind != "customers"
        level = self.rules.narrower(kind, "customers") if through else self.rules.level(kind)
        if level in ("none", "all"):
            return level == "all"
        reached = self.crew.reached(self.user, level)
        takes_nobodys = level == "team" and self.rules.assigns(kind)
        if kind == "customers":
            return bool(assignees[row["id"]] & reached) or (takes_nobodys and not assignees[row["id"]])
        if through and row["customer_id"]:
            theirs = assignees[row["customer_id"]]
            return bool(theirs & reached) or (not theirs and level == "team" and self.rules.assigns("customers"))
        if kind == "users":
            return row["id"] in reached
        if "owner_id" not in row:
            return False
        if row["owner_id"]:
            return row["owner_id"] in reached
        return takes_nobodys or self._sees_what_it_is_about(level, row, reached, by_id)

    def _sees_what_it_is_about(self, level: str, row: Row, reached: set[str], by_id: dict[str, Row]) -> bool:
        for column, section in (("lead_id", "leads"), ("opportunity_id", "opportunities")):
            if row.get(column) and "state" in row:
                about = by_id[row[column]]
                wide_enough = WIDENING.index(self.rules.level(section)) >= WIDENING.index(level)
                return wide_enough and not about["customer_id"] and about["owner_id"] in reached
        return False
