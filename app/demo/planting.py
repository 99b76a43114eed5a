"""How do the demo data get into an empty database? In one transaction, each step at its time and as who did it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app import clock
from app.db import demo
from app.db.models import RECORDS
from app.db.session import driver, next_operation, operation_of, settle, transaction
from app.db.signing_in import keep_password
from app.demo.accounts import ACCOUNTS
from app.demo.founding import found
from app.demo.steps import Change, Convert, Create, Made, Move, Step
from app.demo.story import Story
from app.demo.visitors import write_in
from app.domain import activities, leads, records, stages
from app.domain.entities.catalog import ENTITIES
from app.domain.entities.lead_conversion import LeadConversion
from app.domain.entities.leads import LeadMove
from app.domain.entities.opportunities import StageMove
from app.domain.entities.stages import Move as Body
from app.domain.passwords import check_password, hash_password, password_matches
from app.policies import callers
from app.policies.access import Access, Reason

SEED = 7
FOUNDED = timedelta(days=700)
MOVES: dict[str, type[Body]] = {"opportunities": StageMove, "leads": LeadMove}
REASONS = {"opportunities": "lost_reason", "leads": "discard_reason"}


class NotEmpty(Exception):
    """The database has other data than the demo's."""


async def plant(password: str, seed: int = SEED) -> None:
    """Plant the demo unless it is there, and see to it that its users sign in with the password.

    Raises `NotEmpty`, or `Invalid` when the password is too weak.
    """
    for account in ACCOUNTS:
        check_password(password, account.username)
    hashed = await hash_password(password)
    async with transaction("system") as session:
        # Two at once would find it empty both.
        await demo.wait_for_others(session)
        there = await demo.users(session, [account.username for account in ACCOUNTS])
        if not there:
            if await demo.has_data(session):
                raise NotEmpty
            there = await _plant(session, Story(seed, now := clock.now()).steps(), now)
        for user_id, kept in there.items():
            if kept is None or not await password_matches(password, kept):
                await keep_password(session, user_id, hashed)


async def _plant(session: AsyncSession, steps: list[Step], now: datetime) -> dict[UUID, str | None]:
    with clock.stopped_at(now - FOUNDED):
        people, form_id = await found(session, await callers.system(await driver(session), Reason.DEMO))
        await settle(session)
    accesses = {name: await callers.access_of(session, id) for name, id in people.items()}
    unsettled: set[Made] = set()
    for step in steps:
        if not unsettled.isdisjoint(_named(step.act)):
            await settle(session)
            operation_of(session).enrolled.clear()
            unsettled.clear()
        with clock.stopped_at(step.at):
            next_operation(session, "api")
            await _take(session, accesses[step.actor], step, people)
        unsettled.add(step.act.made)
    await settle(session)
    await write_in(session, form_id, now)
    return dict.fromkeys(people.values())


async def _take(session: AsyncSession, access: Access, step: Step, people: dict[str, UUID]) -> None:
    match step.act:
        case Create(made, values):
            entity = ENTITIES[made.entity]
            data = entity.create.model_validate(_resolved(values, people))
            create = activities.create if made.entity == "activities" else records.create
            made.id = (await create(session, access, entity, data)).id
        case Change(made, values):
            entity = ENTITIES[made.entity]
            record = await access.row(session, RECORDS[made.entity], _id(made), "update")
            await records.change(session, access, entity, record, entity.update.model_validate(values))
        case Move(made, stage, reason):
            given = {"stage": stage} | ({REASONS[made.entity]: reason} if reason else {})
            move = MOVES[made.entity].model_validate(given)
            await stages.move(session, access, ENTITIES[made.entity], _id(made), move)
        case Convert(made, values):
            await leads.convert(session, access, _id(made), LeadConversion.model_validate(values))


def _resolved(value: Any, people: dict[str, UUID]) -> Any:
    """The values of a step, with ids where it names records, and users by name."""
    match value:
        case Made():
            return _id(value)
        case dict():
            return {key: people[each] if key == "owner_id" else _resolved(each, people) for key, each in value.items()}
        case list():
            return [_resolved(each, people) for each in value]
    return value


def _named(value: Any) -> Iterator[Made]:
    """The records that a step is about or names."""
    match value:
        case Made():
            yield value
        case Create() | Change() | Move() | Convert():
            yield from _named(list(vars(value).values()))
        case dict():
            yield from _named(list(value.values()))
        case list():
            for each in value:
                yield from _named(each)


def _id(made: Made) -> UUID:
    assert made.id is not None
    return made.id
