"""The other world: the same rows, but for what somebody may not see."""

from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, Column, Date, DateTime, Integer, Numeric, String
from sqlalchemy.dialects.postgresql import JSONB

from app import clock
from app.db.models import metadata
from app.domain.entities.catalog import ENTITIES
from tests.contracts.seeing import Eyes, Row, Rows

CANARY = "canary"
CANARIES = [f"{CANARY}{number}" for number in range(4)]
WORDS = ["muñoz", "rossi", "smith", "hermanos", "acero", "vino", "logistics", "software", "madrid", "torino"]
# What cannot be changed without breaking the database's own rules, or who reaches what.
KEPT = {"id", "archive_id", "assigned", "stage", "stage_kind", "closed_at", "lost_reason", "pipeline_id", "parent_id"}
KEPT |= {"converted_at", "discard_reason", "done_at", "archived_at", "kind", "state", "channel", "direction"}
KEPT |= {"absence", "service", "active"}
LIMITS = {"birth_month": (1, 12), "birth_year": (1900, 1999)}
UNIQUE = {"customers": ("number", "tax_id"), "users": ("username_key",), "messages": ("message_id",)}
UNIQUE |= {"workflow_runs": ("episode",), **dict.fromkeys(("templates", "forms", "workflows"), ("key",))}


@dataclass
class Other:
    """Changes what one may not see. unreached: a user whom the one who looks does not reach, whoever that is."""

    eyes: Eyes
    unreached: str
    random: Random

    def world(self, rows: Rows) -> Rows:
        """The same world with other values in what is hidden, with more of what is unseen and with less of it."""
        made = deepcopy(rows)
        seen = self.eyes.seen(rows)
        for kind in ENTITIES:
            hidden = self.eyes.rules.hidden(kind)
            if "contact_details" not in self.eyes.rules.groups.get(kind, ()):
                hidden.add("search_contact_details")
            columns = [column for column in metadata.tables[kind].c if column.name not in KEPT]
            for row in list(made.get(kind, ())):
                if row["id"] == self.eyes.user:
                    continue  # One's own account is open to oneself.
                if row["id"] in seen[kind]:
                    self.overwrite(kind, row, [each for each in columns if each.name in hidden])
                else:
                    self.overwrite(kind, row, columns)
                    if self.random.random() < 0.5:
                        made[kind].append(self.copy(kind, row, made))
        unseen = {row["id"] for kind in ENTITIES for row in rows.get(kind, ()) if row["id"] not in seen[kind]}
        self.rewrite_history(made, unseen)
        self.assign_anew(made, unseen)
        self.remove(made, rows, unseen)
        return made

    def overwrite(self, kind: str, row: Row, columns: list[Column[Any]]) -> None:
        for column in columns:
            value = self.value(column, row[column.name])
            row[column.name] = row[column.name] if value is None else value
        if "name" in {column.name for column in columns}:
            row["name"] = row["search_open"] = row["name_key"] = f"{self.random.choice(WORDS)} {self.canary()}"

    def value(self, column: Column[Any], before: Any) -> Any:
        """Any value that the column takes; None leaves it as it is."""
        if column.foreign_keys or column.primary_key:
            return None
        match column.type:
            case Boolean():
                return self.random.random() < 0.5
            case Integer():
                return self.random.randint(*LIMITS.get(column.name, (1, 28)))
            case Numeric():
                return self.random.randint(1, 9999)
            case DateTime() | Date():
                return (clock.now() - timedelta(days=self.random.randint(1, 900))).isoformat()
            case ARRAY():
                return [self.canary()]
            case JSONB():
                return self.spoilt(before)
            case String() as text:
                return self.canary()[: text.length]
        return None

    def spoilt(self, value: Any) -> Any:
        """Of the same form, with other texts in it."""
        match value:
            case dict():
                return {name: self.spoilt(each) for name, each in value.items()}
            case list():
                return [self.spoilt(each) for each in value]
        return self.canary() if isinstance(value, str) else value

    def canary(self) -> str:
        return f"{self.random.choice(CANARIES)}x{self.random.randint(1, 10**6)}"

    def copy(self, kind: str, row: Row, rows: Rows) -> Row:
        """One more like it."""
        new = row | {"id": self.id()} | {name: self.canary() for name in UNIQUE.get(kind, ())}
        if kind == "customers":
            pair = {"customer_id": new["id"], "user_id": self.unreached, "role": "owner"}
            rows["customer_assignees"].append(pair)
            new |= {"assigned": True, "owner_id": self.unreached}
        if kind == "users":
            day = {"from_on": "-infinity", "until_on": "infinity"}
            rows["user_reach"].append({"user_id": new["id"], "reached_id": new["id"], "via": "self"} | day)
            new |= {"manager_id": None, "absence": None}
        return new

    def id(self) -> str:
        return str(UUID(int=self.random.getrandbits(128)))

    def rewrite_history(self, rows: Rows, unseen: set[str]) -> None:
        """Old and new values of hidden fields; of a record that is unseen itself, all there is."""
        last = 10**9  # beyond those that are to come
        for row in list(rows["events"]):
            hidden = self.eyes.rules.hidden(row["entity"]) if row["entity"] in ENTITIES else set()
            if row["record_id"] == self.eyes.user:
                hidden = set()
            names = set(row["changes"]) if row["record_id"] in unseen else set(row["changes"]) & hidden
            if hidden and self.random.random() < 0.5:
                names.add(self.random.choice(sorted(hidden)))
            row["changes"] |= {name: [self.canary(), self.canary()] for name in names}
            if row["record_id"] in unseen and self.random.random() < 0.3:
                rows["events"].append(row | {"id": (last := last + 1)})
        for row in rows["stage_stays"]:
            if row["record_id"] in unseen:
                row["note"] = self.canary()

    def assign_anew(self, rows: Rows, unseen: set[str]) -> None:
        """Unseen customers are assigned to one more whom one does not reach; what has no customer changes hands."""
        pairs = {(row["customer_id"], row["user_id"]) for row in rows["customer_assignees"]}
        for row in rows["customers"]:
            if row["id"] in unseen and (row["id"], self.unreached) not in pairs:
                rows["customer_assignees"].append({"customer_id": row["id"], "user_id": self.unreached, "role": None})
                row["assigned"] = True
        for kind in ("leads", "opportunities"):
            for row in rows[kind]:
                if row["id"] in unseen and not row["customer_id"] and self.random.random() < 0.5:
                    row["owner_id"] = self.unreached

    def remove(self, made: Rows, rows: Rows, unseen: set[str]) -> None:
        """Some are gone altogether, with all that belonged to them: but nothing that a seen record names."""
        named = {
            each
            for kind in ENTITIES
            for row in rows.get(kind, ())
            if row["id"] not in unseen
            for each in row.values()
            if isinstance(each, str)
        }
        doomed = {row["id"] for row in rows["customers"] if row["id"] in unseen - named and self.random.random() < 0.4}
        gone = doomed | {
            row["id"]
            for kind in ENTITIES
            for row in rows.get(kind, ())
            if row.get("customer_id") in doomed and row["id"] in unseen
        }
        for kind, each in made.items():
            keys = ("id", "customer_id", "record_id", "opportunity_id", "activity_id", "lead_id", "contact_id")
            made[kind] = [row for row in each if not gone & {row.get(name) for name in keys if kind != "external_ids"}]
