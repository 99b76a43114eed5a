"""How does a checked file become records? In one transaction, set by set, within the reach of whose file it is."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import assignees, chains, following, ledger
from app.db.queries import (
    import_activities,
    import_changing,
    import_matching,
    import_references,
    import_rows,
    import_writing,
)
from app.db.reach import narrower
from app.db.session import operation_of
from app.domain import consequences, owning, users
from app.domain.entities.fields import Entity
from app.domain.entities.mapping import ImportOptions, Mapping
from app.domain.entities.targets import EXTERNAL_ID, Target, importable, targets
from app.domain.entities.values import nearest_of_each
from app.domain.import_changes import Changes, keep_teams_within, keep_those_with_work, loops, work_out
from app.domain.imports import allow, columns_of
from app.errors import AccessChanged
from app.policies.access import Access
from app.policies.profiles import profiles_within

# Names are compared one by one with what could have been meant: enough to be of help, few enough to be quick.
MOST_NAMES, MOST_UNKNOWN = 20_000, 1_000
_BATCH = 1_000
_NO_LONGER = {
    "archived": "The record is archived; restore it first",
    "forbidden": "You may not change this record",
    "exceeds_own_profile": "The user may do more than you may",
}
_REACHED_BY_NAME = ("name", "username", "sku", "number")


@dataclass(frozen=True, slots=True)
class Load:
    """One import at work. within: of users, the profiles that its owner may give and change those who have them."""

    session: AsyncSession
    access: Access
    id: UUID
    entity: Entity
    mapping: Mapping
    targets: list[Target]
    dry_run: bool
    now: datetime
    within: list[str]

    @property
    def system(self) -> str | None:
        """Whose external ids the rows have, if they have any."""
        has_ids = any(each.field == EXTERNAL_ID for each in self.targets)
        return self.mapping.external_system if has_ids else None

    @property
    def references(self) -> list[Target]:
        """The targets that name records, each place once."""
        return list({(each.field, each.item): each for each in self.targets if each.refers_to}.values())

    @property
    def named(self) -> list[str]:
        """The columns that name records."""
        named = [each.field for each in self.references if each.item is None]
        return list(dict.fromkeys([*named, "customer_id"])) if self.follows else named

    @property
    def follows(self) -> bool:
        """Whether the rows are about something whose customer they take, or may mean activities that are."""
        about = {"opportunity_id", "lead_id"} | ({"customer_id"} if self.mapping.match_on is not None else set())
        return self.entity.name == "activities" and any(each.field in about for each in self.targets)


async def load(session: AsyncSession, access: Access, import_id: UUID) -> None:
    """Write the good rows of a checked import, or, if it is only tried, count what would be written.

    What was loaded or tried already stays as it is.
    """
    found = await import_rows.state_of(session, import_id)
    if found.state not in ("checked", "loading") or found.finished_at is not None:
        return
    await import_rows.be_patient(session)
    await import_rows.take_turns(session, found.entity)
    mapping, options = Mapping.model_validate(found.mapping), ImportOptions.model_validate(found.options)
    entity = importable(found.entity)
    understood = targets(entity, mapping, options, access.vocabulary.time_zone)
    allow(access, entity, mapping, understood)
    within = await profiles_within(session, access.grants) if entity.name == "users" else []
    work = Load(session, access, import_id, entity, mapping, understood, options.dry_run, clock.now(), within)
    await import_rows.set_out(session, import_id)
    await _match(work)
    if entity.name == "users":
        await import_references.refuse_profiles(session, work.within)
    changes = Changes(unable=await _refer(work))
    await _compare(work, changes)
    if not work.dry_run:
        await _write(work, changes)
    counts = await import_rows.settle(session, import_id, found.rows, columns_of(understood))
    if not work.dry_run:
        await import_writing.assign(session, entity.name)
        if entity.name == "activities":
            await import_activities.sum_up(session, changes.left)
        if entity.name == "opportunities":
            consequences.look_back_at_stays(session, access)
    state = "checked" if work.dry_run else "done"
    await import_rows.note(
        session, import_id, access.user_id, clock.now(), state=state, counts=counts, finished_at=clock.now()
    )


def _bound(access: Access, entity: str) -> dict[str, Any]:
    """The users whose records count for reading and for changing."""
    read, change = access.reach(entity), access.reach(entity, "update")
    return {"reached": list(access.reached(read.level)), "changing": list(access.reached(change.level))}


async def _match(work: Load) -> None:
    session, access, name, mapping = work.session, work.access, work.entity.name, work.mapping
    if mapping.match_on is not None:
        reach, change = access.reach(name), access.reach(name, "update")
        system = mapping.external_system
        await import_matching.match(session, name, mapping.match_on, system, reach, change, _bound(access, name))
    await import_matching.refuse_incomplete(session)
    await import_matching.refuse_taken(session, name, work.system, {each.field for each in work.targets})


async def _refer(work: Load) -> set[UUID]:
    """Find the records that the rows name. Answers who among the owners cannot be given what is still to be done."""
    session, access = work.session, work.access
    for each in work.references:
        target, by = str(each.refers_to), str(each.by)
        own = target == work.entity.name
        reach, bound = access.reach(target), _bound(access, target)
        if (work.entity.name, each.field) == ("contacts", "customer_id"):
            # Theirs to look at is not theirs to add to.
            below = access.below("contacts", "create")
            level = narrower(reach.level, below.level)
            reach = replace(reach, level=level, nobodys=level == "team" and reach.nobodys and below.nobodys)
            bound["reached"] = list(access.reached(level))
        await import_references.name(
            session, each.field, each.item, target, by, work.mapping.external_system, reach, bound, own
        )
        await import_references.hold(session, each.field, each.item, target)
        await _refuse_unresolved(work, each)
    if work.follows:
        await import_activities.take_customers(session, hold=not work.dry_run)
        await import_references.hold(session, "customer_id", None, "customers")
    if "owner_id" in work.named and not access.may(work.entity.name, "assign"):
        await import_references.refuse_owners(session, work.entity.name, access.user_id)
    unable = await owning.refuse_unable(session, access, work.entity.name, work.dry_run)
    for each in work.references:
        if each.refers_to == work.entity.name and each.item is None:
            await chains.hold(session, work.entity.name, each.field)
            pointing, rows = await import_references.edges(session, work.entity.name, each.field)
            looping = loops(pointing)
            message = "It comes back to itself: nobody is above themselves"
            errors = [
                {"row": row, "field": each.field, "code": "loop", "message": message}
                for id, row in rows.items()
                if id in looping
            ]
            await import_rows.refuse(session, errors)
            await import_references.refuse_followers(session, each.field)
    return unable


async def _refuse_unresolved(work: Load, target: Target) -> None:
    """Refuse the rows that name no record, or more than one, with the nearest that there is."""
    session, access, entity = work.session, work.access, str(target.refers_to)
    place = import_references.place_of(target.field, target.item)
    found = await import_references.unresolved(session, target.field, target.item)
    if not found:
        return
    unknown = [said for _, said, times in found if times == 0][:MOST_UNKNOWN]
    near: dict[str, str] = {}
    if unknown and target.by in _REACHED_BY_NAME:
        known = await import_references.names_in_reach(
            session, entity, str(target.by), access.reach(entity), _bound(access, entity), MOST_NAMES
        )
        near = nearest_of_each(unknown, known)
    by_key = {key: (said, times) for key, said, times in found}
    errors = []
    for row, key in await import_references.rows_of_unresolved(session, target.field, target.item):
        said, times = by_key[key]
        error: dict[str, Any] = {"row": row, "field": place, "column": target.column, "value": said}
        if times:
            error |= {"code": "ambiguous_reference", "message": f"More than one of the {entity} has this {target.by}"}
        else:
            hint = f"; did you mean {near[said]}?" if said in near else ""
            error |= {
                "code": "unknown_reference",
                "message": f"None of the {entity} has this {target.by}{hint}",
                "nearest": near.get(said),
            }
        errors.append(error)
    await import_rows.refuse(session, errors)


async def _compare(work: Load, changes: Changes) -> None:
    """Which records differ from what the rows say, and how they would be."""
    if work.mapping.match_on is None:
        return
    session, name = work.session, work.entity.name
    await import_changing.note_changed(session, name, work.named, work.system)
    last = 0
    while batch := await import_changing.changed_rows(session, name, work.named, work.system, last, _BATCH):
        last = batch[-1].row
        ids = [row.record_id for row in batch]
        before = await _held(work, ids)
        attaching = [row.record_id for row in batch if row.attached]
        has = await import_changing.external_ids_of(session, name, attaching) if attaching else {}
        for row in batch:
            record = before[row.record_id]
            if isinstance(record, str):
                error = {"row": row.row, "field": None, "code": record, "message": _NO_LONGER[record]}
                changes.errors.append(error)
                continue
            new_ids: list[dict[str, Any]] = []
            if row.attached:
                new_id = {"system": work.system, "external_id": row.attached}
                new_ids = [*has.get(row.record_id, []), new_id]
            work_out(work.access, work.entity, work.now, row, record, new_ids, changes)
    if changes.given_managers:
        await keep_teams_within(session, changes, work.within)
    if changes.deactivated or changes.given_profiles:
        await keep_those_with_work(session, changes, work.dry_run)
    await import_changing.note_unchanged(session, changes.unchanged)
    await import_rows.refuse(session, changes.errors)


async def _held(work: Load, ids: list[UUID]) -> dict[UUID, dict[str, Any] | str]:
    """The records with their lists; or the code of why one may not be changed, since it was matched."""
    session, access, name = work.session, work.access, work.entity.name
    records: dict[UUID, dict[str, Any] | str] = {}
    # What is only tried keeps nobody waiting.
    before = await import_changing.read(session, name, ids, hold=not work.dry_run)
    read, change = access.reach(name), access.reach(name, "update")
    reached = await import_changing.within_reach(session, name, ids, read, change, _bound(access, name))
    lists: dict[str, dict[UUID, list[Any]]] = {}
    if name == "opportunities":
        lists["lines"] = await import_changing.lines_of(session, ids)
        if "contacts" in access.vocabulary.minimum_information.get(name, ()):
            lists["contacts"] = await import_changing.contacts_of(session, ids)
    for id in ids:
        record = before.get(id)
        if record is None or id not in reached:
            records[id] = "forbidden"
        elif record["archived_at"] is not None:
            records[id] = "archived"
        elif name == "users" and record["profile_id"] not in work.within:
            records[id] = "exceeds_own_profile"
        else:
            records[id] = record | {field: found.get(id, []) for field, found in lists.items()}
    return records


async def _write(work: Load, changes: Changes) -> None:
    session, access, entity = work.session, work.access, work.entity
    actor, operation_id = access.user_id, operation_of(session).id
    reach = access.reach(entity.name)
    nobodys = reach.level == "all" or reach.nobodys
    owner_id = None if nobodys else actor
    prefix = access.vocabulary.customer_number_prefix
    await import_writing.insert_new(session, entity.name, work.named, actor, work.now, owner_id, prefix)
    await import_writing.tell_new(session, entity.name, entity.singular, work.named, actor, work.now, operation_id)
    if changes.rows:
        columns = sorted(changes.columns)
        await import_changing.write_changed(session, entity.name, columns, changes.rows, actor, work.now, operation_id)
        await _hand_over(work, changes)
    if work.system is not None:
        await import_writing.keep_external_ids(session, entity.name, work.system)
    if entity.name == "users":
        await users.many_changed(session, changes.signed_out)
        # What was asked before is asked again, now that nobody else changes who may do what.
        if work.within != await profiles_within(session, work.access.grants):
            raise AccessChanged


async def _hand_over(work: Load, changes: Changes) -> None:
    """Those who are no longer responsible for changed records are no longer assigned for them."""
    session = work.session
    if not changes.reassigned:
        return
    if work.entity.name == "customers":
        await assignees.step_down_all(session, changes.reassigned)
        return
    await assignees.end_reasons(session, changes.reassigned)
    if changes.moved:
        await ledger.move_history(session, changes.moved)
        if column := consequences.ABOUT.get(work.entity.name):
            await following.follow(session, column, changes.moved, work.access.user_id, work.now)
