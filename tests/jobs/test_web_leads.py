"""What follows when a lead comes in by a form, with the clock stopped: the answer, whose call it is, and by when."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from app.db.session import transaction
from app.domain.web_lead import end_of_working_day
from app.jobs import mail
from app.settings import MailServer, settings
from tests.conftest import People
from tests.jobs.company import change_lead, lead, rows, runs, switch, work
from tests.jobs.conftest import StoppedClock

KEY = "web_lead"
SERVER = MailServer("127.0.0.1", 1, False, None, None, "Acme <hello@acme.example>")


class Box(list[mail.Letter]):
    """What was handed to the mail server, which refuses what `refusing` says."""

    refusing: Exception | None = None

    async def take(self, server: MailServer, letter: mail.Letter) -> None:
        if self.refusing:
            raise self.refusing
        self.append(letter)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Box:
    monkeypatch.setenv("CRM_SMTP_URL", "smtp://127.0.0.1:1")
    monkeypatch.setenv("CRM_MAIL_FROM", SERVER.sender)
    settings.cache_clear()
    box = Box()
    monkeypatch.setattr(mail, "hand_over", box.take)
    return box


async def calls() -> list[object]:
    """Whose the calls are, in the order in which they were planned."""
    return [row.owner_id for row in await rows("select owner_id from activities where kind = 'call' order by id")]


async def test_a_lead_is_answered_in_its_language_and_called_within_the_day_by_who_owns_it_from_now_on(
    people: People, time: StoppedClock, sent: Box
) -> None:
    await switch(KEY)
    async with transaction("system") as session:
        await session.execute(text("update settings set company_name = 'Acme'"))
    time.now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    ana = await people.user("sales", locale="it")
    await people.user("support")
    id = await lead()
    await work()
    [letter] = sent
    assert (letter.to, letter.subject) == ("lucia@talleres.example", "Hemos recibido su mensaje")
    assert letter.text.startswith("Hola Lucía:\n\nGracias")
    assert letter.text.endswith("Un cordial saludo,\nAcme")
    assert letter.automatic
    assert letter.reply_to is None
    [call] = await rows("select * from activities")
    assert (call.owner_id, call.lead_id, call.subject) == (ana, id, "Chiamare per la richiesta web")
    assert call.due_at == datetime(2026, 11, 23, 17, tzinfo=UTC)  # six in Madrid, when the company closes
    [answered] = await rows("select owner_id, first_response_at from leads")
    assert answered == (ana, time.now)
    [message] = await rows("select * from messages")
    assert (message.state, message.sent_at, message.owner_id) == ("sent", time.now, ana)
    assert message.message_id.endswith("@acme.example>")
    [run] = await rows("select * from workflow_runs")
    assert (run.state, run.assigned_to, run.id) == ("done", ana, message.workflow_run_id)
    assert [step["step"] for step in run.steps] == ["message", "activity"]
    assert await rows("select id from opportunities") == []


async def test_reps_who_are_present_take_turns_also_when_leads_come_all_at_once(
    people: People, time: StoppedClock, sent: Box
) -> None:
    await switch(KEY)
    time.now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    away = {"from_on": "2026-11-20", "until_on": "2026-11-24", "substitute_id": None}
    here = {await people.user("sales"), await people.user("sales")}
    gone, back_tomorrow = await people.user("sales", active=False), await people.user("sales", absence=away)
    for _ in range(6):
        await lead()
    await asyncio.gather(*(work() for _ in range(3)))
    given = await calls()
    assert {user: given.count(user) for user in here} == dict.fromkeys(here, 3)
    assert len(sent) == 6
    time.forward(days=2)
    for _ in range(3):
        await lead()
    await work()
    assert sorted((await calls())[6:], key=str) == sorted([*here, back_tomorrow], key=str)
    assert gone not in await calls()


async def test_a_lead_that_has_an_owner_is_theirs_and_one_that_comes_when_nobody_is_there_is_nobodys(
    people: People, time: StoppedClock, sent: Box
) -> None:
    await switch(KEY)
    marta = await people.user("manager")
    await lead(owner_id=marta)
    await work()
    await lead()
    await work()
    assert await calls() == [marta, None]
    assert [row.owner_id for row in await rows("select owner_id from leads order by id")] == [marta, None]
    assert await runs() == [("done", None)] * 2
    await lead(owner_id=await people.user("sales", active=False))
    await work()
    assert await calls() == [marta, None, None], "of somebody who has left"


async def test_what_does_not_come_by_a_form_or_before_it_was_switched_on_is_left_alone(
    people: People, time: StoppedClock, sent: Box
) -> None:
    await lead()
    await switch(KEY)
    await work()
    for source in ("api", "import"):
        await lead(source)
    assert await work() == 0
    assert await runs() == []


async def test_a_lead_without_an_address_or_answered_already_is_only_called_and_the_run_says_why(
    people: People, time: StoppedClock, sent: Box
) -> None:
    await switch(KEY)
    await people.user("sales")
    await lead(emails=[], phones=[{"number": "+34 912 345 678"}])
    answered = await lead()
    await change_lead(answered, first_response_at=time.now)
    await lead(emails=[{"address": "lucia@talleres.example", "invalid": True}])
    await work()
    assert len(await calls()) == 3
    steps = [row.steps[0] for row in await rows("select steps from workflow_runs order by record_id")]
    no_address = {"step": "message", "left_out": "The lead has no e-mail address"}
    assert steps == [no_address, {"step": "message", "left_out": "The lead has been answered already"}, no_address]
    assert sent == []


async def test_a_lead_that_was_discarded_before_its_turn_is_skipped_and_the_run_says_why(
    people: People, time: StoppedClock, sent: Box
) -> None:
    await switch(KEY)
    discarded = await lead()
    await change_lead(discarded, stage="discarded", stage_kind="lost", discard_reason="no_need")
    await work()
    assert (await calls(), sent) == ([], [])
    assert await runs() == [("skipped", "The lead is in the stage discarded already")]


async def test_the_opportunity_is_made_at_once_where_the_company_wants_it_and_what_it_lacks_stops_nothing_else(
    people: People, time: StoppedClock, sent: Box
) -> None:
    await switch(KEY, create_opportunity=True)
    ana = await people.user("sales")
    id = await lead(title="A press")
    await work()
    assert await rows("select name, owner_id, lead_id from opportunities") == [("A press", ana, id)]
    async with transaction("system") as session:
        demanding = text('update settings set minimum_information = \'{"opportunities": ["amount"]}\'')
        await session.execute(demanding)
        await session.execute(text("update versions set xid = pg_current_xact_id()"))
    await lead()
    await work()
    [*_, run] = await rows("select steps from workflow_runs order by id")
    assert run.steps[2] == {"step": "opportunity", "left_out": "amount is required"}
    assert len(await calls()) == 2


async def test_what_the_company_wants_to_know_of_activities_is_asked_of_people_and_stops_no_call(
    people: People, time: StoppedClock, sent: Box
) -> None:
    await switch(KEY)
    ana = await people.user("sales")
    async with transaction("system") as session:
        demanding = text('update settings set minimum_information = \'{"activities": ["objective"]}\'')
        await session.execute(demanding)
        await session.execute(text("update versions set xid = pg_current_xact_id()"))
    await lead()
    await work()
    assert (await calls(), len(sent), await runs()) == ([ana], 1, [("done", None)])


async def test_a_name_that_is_no_name_is_not_sent_to_whoever_has_the_address(
    people: People, time: StoppedClock, sent: Box
) -> None:
    await switch(KEY)
    await lead(first_name="Win at http://casino.example now")
    await work()
    assert sent[0].text.startswith("Hola:\n\nGracias")


async def test_an_answer_whose_worker_dies_before_it_says_so_may_come_again_under_the_same_id(
    people: People, time: StoppedClock, sent: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    await switch(KEY)
    await lead()

    async def die(*_: object) -> None:
        raise OSError("the database is away")

    with monkeypatch.context() as dying:
        dying.setattr(mail.messages, "sent", die)
        await work()
    time.forward(minutes=1)
    await work()
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert [row.state for row in await rows("select state from messages")] == ["sent"]


async def test_mail_that_cannot_go_is_tried_again_and_in_the_end_says_why(
    people: People, time: StoppedClock, sent: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    await switch(KEY)
    await lead()
    sent.refusing = OSError("no route")
    await work()
    assert [row.state for row in await rows("select state from messages")] == ["queued"]
    sent.refusing = None
    time.forward(seconds=10)
    await work()
    assert len(sent) == 1
    await lead(emails=[{"address": "nobody@talleres.example"}])
    sent.refusing = mail.Refused("The mail server does not take the address (550)")
    await work()
    await lead(emails=[{"address": "slow@talleres.example"}])
    sent.refusing = OSError("no route")
    for _ in range(16):
        assert [row.state for row in await rows("select state from messages order by id")][2:] in ([], ["queued"])
        await work()
        time.forward(hours=4)
    async with transaction("system") as session:
        await session.execute(
            text("""insert into consents (kind, address, purpose, given, at)
              values ('email', 'no@talleres.example', 'service', false, now()),
                ('email', 'lucia@talleres.example', 'marketing', false, now())""")
        )
    sent.refusing = None
    await lead(emails=[{"address": "no@talleres.example"}])
    await work()
    await lead()  # who wants no advertising is answered all the same
    await work()
    monkeypatch.delenv("CRM_SMTP_URL")
    settings.cache_clear()
    await lead()
    await work()
    found = await rows("select state, failure from messages order by id")
    assert [tuple(row) for row in found] == [
        ("sent", None),
        ("failed", "The mail server does not take the address (550)"),
        ("failed", "The mail server could not be reached, or did not take it; the log of the worker says why"),
        ("failed", "Whoever has the address does not want to be written to"),
        ("sent", None),
        ("failed", "No mail server is set: CRM_SMTP_URL"),
    ]
    assert len(sent) == 2


@pytest.mark.parametrize(
    ("now", "closes"),
    [
        ("2026-11-23T08:00", "2026-11-23T19:00"),
        ("2026-11-23T15:00", "2026-11-23T19:00"),
        ("2026-11-23T19:00", "2026-11-24T14:00"),
        ("2026-11-24T20:00", "2026-11-30T19:00"),  # two holidays, a Friday without hours and the weekend
        ("2026-10-24T23:00", "2026-10-26T19:00"),  # the clocks change in between
    ],
)
def test_within_the_day_is_until_the_company_closes_next(now: str, closes: str) -> None:
    zone = ZoneInfo("Europe/Madrid")
    hours = [
        {"weekday": 1, "opens": "09:00", "closes": "14:00"},
        {"weekday": 1, "opens": "16:00", "closes": "19:00"},
        *({"weekday": weekday, "opens": "09:00", "closes": "14:00"} for weekday in (2, 3, 4)),
    ]
    at = datetime.fromisoformat(now).replace(tzinfo=zone)
    found = end_of_working_day(at, hours, {"2026-11-25", "2026-11-26"})
    assert found == datetime.fromisoformat(closes).replace(tzinfo=zone)
    assert end_of_working_day(at, [], ()) == at + timedelta(hours=24)
