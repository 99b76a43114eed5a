"""How does all that somebody works on become others', before they leave? In one call, whole or not at all."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import chains, handing_over, seeds, user_reach
from app.db.models.users import User
from app.db.queries import import_rows
from app.db.reach import Reach
from app.db.session import operation_of
from app.domain import owning
from app.domain.entities import rules
from app.domain.entities.handing_over import HandedOver, HandOver
from app.domain.own_limits import require_team_within, require_within
from app.domain.records import SINGULARS
from app.errors import Conflict, FieldError, Forbidden, NotFound
from app.policies.access import Access
from app.policies.callers import readers, with_customers

# By section, `assigned` and `team`: the records that are held, and who takes each.
Held = dict[str, Sequence[Any]]
Given = dict[str, dict[UUID, UUID]]


async def left_behind(session: AsyncSession, profiles: Mapping[UUID, str | None]) -> dict[UUID, dict[str, int]]:
    """How much work users would leave behind, by section; who would leave none is left out.

    profiles: by user, None for who leaves; else the profile that they get, with which they go on with what it reads.
    """
    owning = await handing_over.owned(session, list(profiles))
    readable = {section: await readers(session, section) for section in handing_over.HOLDING if owning}
    found = {}
    for user_id, owned in owning.items():
        profile = profiles[user_id]
        lost = {name: count for name, count in owned.items() if profile is None or profile not in readable[name]}
        if any(lost.values()):
            found[user_id] = lost
    return found


async def check_leaving(session: AsyncSession, access: Access, user_id: UUID, profile: str | None = None) -> None:
    """Raise `Conflict` (`owns_work`, with `owns`: how much) for whoever would leave with work that is still theirs, or
    not see it with another profile, unless the caller has confirmed it. How much is said of the sections in which the
    caller sees what the user owns."""
    if operation_of(session).confirmed:
        return
    await handing_over.let_go(session, [user_id])
    lost = (await left_behind(session, {user_id: profile})).get(user_id)
    if lost:
        owns = {name: count for name, count in lost.items() if _reaches(access, access.reach(name), user_id)}
        detail = "They own customers or open work: hand it over first, or confirm"
        raise Conflict(detail, code="owns_work", extra={"owns": owns})


def _reaches(access: Access, reach: Reach, user_id: UUID) -> bool:
    """Whether what a user owns is within a reach."""
    return reach.level == "all" or (reach.level is not None and user_id in access.reached(reach.level))


async def hand_over(session: AsyncSession, access: Access, id: UUID, said: HandOver) -> HandedOver:
    """Give a user's customers, open leads, open opportunities, planned activities, queued messages, customers assigned
    by hand and team to others.

    Raises `NotFound`, `Invalid` (`cannot_take_over`), `Conflict` (`loop`), and `Forbidden` without `assign` in every
    section with reach over the user, or `configure` on users, which is nothing to those who may do more than the caller
    (`exceeds_own_profile`): what they see would be the caller's to see.
    """
    user = await access.row(session, User, id)
    configures = access.may("users", "configure")
    if lacking := _not_assigned(access, id):
        if not configures:
            raise Forbidden(f"You may not assign the user's {', '.join(lacking)}")
        await require_within(session, access, user.profile_id)
    await import_rows.be_patient(session)
    held: Held = await handing_over.hold(session, id)
    held["assigned"] = await handing_over.hold_assigned(session, id)
    held["team"] = await handing_over.hold_team(session, id) if configures else ()
    if not configures and said.team is not None:
        raise Forbidden("Only who configures users gives a team another manager")
    given = _given(said, held)
    await _check_takers(session, access, id, said, held, given)
    if held["team"]:
        await user_reach.hold(session)
        await require_team_within(session, access, id)
    if not said.dry_run:
        await _give(session, access, id, held, given)
    counts = {name: len(rows) for name, rows in held.items()}
    return HandedOver(**counts, operation_id=operation_of(session).id, dry_run=said.dry_run)


def _not_assigned(access: Access, id: UUID) -> list[str]:
    """Where the caller does not assign whatever the user may own. Which says nothing of what there is."""
    return [name for name in handing_over.OPEN if not _reaches(access, access.reach(name, "assign"), id)]


def _given(said: HandOver, held: Held) -> Given:
    """Section → record → who takes it: in turn, and what is open at a customer with the customer, if nothing else is
    said of the section."""
    given: Given = {}
    for name, rows in held.items():
        own: list[UUID] | None = getattr(said, "customers" if name == "assigned" else name, None)
        if name == "team":
            own = [said.team or said.to[0]]
        takers = own or said.to
        with_customer = given.get("customers", {}) if own is None else {}
        given[name] = {
            row.id: with_customer.get(row.customer_id, takers[place % len(takers)]) for place, row in enumerate(rows)
        }
    return given


async def _check_takers(
    session: AsyncSession, access: Access, id: UUID, said: HandOver, held: Held, given: Given
) -> None:
    """Raise `NotFound` or `Invalid` for those who are not there or cannot open what they are to take."""
    lists = {name: getattr(said, name) or [] for name in ("to", "customers", "leads", "opportunities", "activities")}
    pointers = {user_id: f"/{name}/{place}" for name, each in lists.items() for place, user_id in enumerate(each)}
    if said.team is not None:
        pointers.setdefault(said.team, "/team")
    query = access.rows(User).where(User.id.in_(pointers), User.archived_at.is_(None))
    found = await session.scalars(query.with_for_update(read=True, key_share=True, of=User))
    people = {user.id: user for user in found}
    missing = [each for user_id, each in pointers.items() if user_id not in people]
    if missing:
        errors = [FieldError(each, "not_found", "No such record in users") for each in missing]
        raise NotFound("The body names a record that does not exist", errors=errors)
    needed: dict[UUID, set[str]] = defaultdict(set)
    for name in given.keys() - {"team"}:
        for row in held[name]:
            needed[given[name][row.id]] |= with_customers("customers" if name == "assigned" else name)
    await handing_over.keep(session, people)
    problems = []
    for user_id, user in people.items():
        sections = sorted(needed[user_id])
        if user_id == id or user.service or await owning.unable(session, [user_id], *sections):
            able = f" whose profile reads {', '.join(sections)}" if sections else ""
            problems.append(FieldError(pointers[user_id], "cannot_take_over", f"Must be another, active person{able}"))
    if problems:
        raise rules.invalid(problems)


async def _give(session: AsyncSession, access: Access, id: UUID, held: Held, given: Given) -> None:
    at, by = clock.now(), access.user_id
    for section in handing_over.OPEN:
        if given[section]:
            await handing_over.give(session, section, SINGULARS[section], given[section], id, by, at)
    if assigned := given["assigned"]:
        # Whoever has a role there already keeps it.
        to = {row.id: None if assigned[row.id] in row.others else assigned[row.id] for row in held["assigned"]}
        await handing_over.give_assigned(session, to, id, by, at)
    if team := dict(given["team"]):
        await chains.hold(session, "users", "manager_id")
        above = await handing_over.manager_of(session, id)
        # Who takes the team over while of it has the manager's own.
        to = {each: above if each == manager_id else manager_id for each, manager_id in team.items()}
        if not await handing_over.give_team(session, to, id, by, at):
            problem = FieldError("/team", "loop", "It comes back to itself: nobody is above themselves")
            raise Conflict("A chain of records must not close", code="loop", errors=[problem])
        await user_reach.rewrite(session)
        await seeds.remember_anew(session)
