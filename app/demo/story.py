"""What has happened in the demo's company before today, and what is planned? The same for the same seed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from app.demo.days import at, midnight
from app.demo.people import Crowd, Values, domain_of
from app.demo.steps import Change, Convert, Create, Made, Move, Step
from app.demo.words import ACTIVITIES, PRODUCTS, REPORTS, REQUESTS

# Who looks after a country's customers, and whom they answer to.
REPS = {"ES": ("sales", "sales2"), "IT": ("sales3",)}
MANAGERS = {"sales": "manager", "sales2": "manager", "sales3": "manager2"}
# How many customers of each country are written down, and how many leads become customers beside them.
CUSTOMERS = {"ES": 115, "IT": 75}
CONVERTED = {"ES": 6, "IT": 4}
OPEN_STAGES = ("reception", "qualification", "proposal", "negotiation")
# Opportunities by the stage that they have come to; of the open ones every fourth has been there for too long.
OPPORTUNITIES = {"reception": 16, "qualification": 18, "proposal": 16, "negotiation": 14, "won": 36, "lost": 20}
LOST_REASONS = ("price", "competitor", "timing", "no_need", "no_budget", "no_answer")
LEADS = {"new": 12, "contacted": 12, "qualified": 10, "discarded": 12}
CHANNELS = ("web_form", "web_form", "email", "phone", "visit", "partner")
WEEK, YEAR, OLDEST = 5, 255, 390


@dataclass
class Customer:
    """One of the demo's customers. since: working days before today."""

    made: Made
    values: Values
    contacts: list[Made]
    owner: str
    since: int
    language: str
    won: list[int] = field(default_factory=list)


class Story:
    """Draws the steps of it, in any order; `steps` sorts them by their time."""

    def __init__(self, seed: int, now: datetime) -> None:
        self.now = now
        self.random = Random(seed)
        self.crowds = {country: Crowd(country, seed) for country in CUSTOMERS}
        self.products = [Made("products") for _ in PRODUCTS]
        self.customers: list[Customer] = []
        self._steps: list[Step] = []

    def steps(self) -> list[Step]:
        """All of it, in order."""
        self._write_products()
        for country, count in CUSTOMERS.items():
            for _ in range(count):
                self._write_customer(country)
        for stage, count in OPPORTUNITIES.items():
            for number in range(count):
                self._write_opportunity(stage, stalled=number % 4 == 3)
        for customer in self.customers:
            self._write_lifecycle(customer)
        self._write_loyalty()
        for stage, count in LEADS.items():
            for _ in range(count):
                self._write_lead(stage)
        for country, count in CONVERTED.items():
            for _ in range(count):
                self._write_converted(country)
        return sorted(self._steps, key=lambda step: step.at)

    def _add(self, when: datetime, actor: str, act: Create | Change | Move | Convert) -> None:
        self._steps.append(Step(when, actor, act))

    def _at(self, before: int) -> datetime:
        return at(self.now, before, self.random.randint(9, 17), self.random.randint(0, 59))

    def _write_products(self) -> None:
        names = ("sku", "name", "kind", "category", "unit", "price")
        for made, product in zip(self.products, PRODUCTS, strict=True):
            values = dict(zip(names, product, strict=True)) | {"currency": "EUR", "tax_rate": "21"}
            self._add(at(self.now, OLDEST + WEEK, 9), "administrator", Create(made, values))

    def _write_customer(self, country: str) -> None:
        crowd, since = self.crowds[country], self.random.randint(6, OLDEST)
        owner = self.random.choice(REPS[country])
        values = crowd.customer()
        customer = Customer(Made("customers"), values, [], owner, since, crowd.language)
        self.customers.append(customer)
        stage = self.random.choice(("potential", "possible", "possible", "probable", "improbable"))
        when = self._at(since)
        self._add(when, owner, Create(customer.made, values | {"lifecycle_stage": stage}))
        for contact in crowd.contacts(values):
            customer.contacts.append(made := Made("contacts"))
            when += timedelta(minutes=4)
            self._add(when, owner, Create(made, contact | {"customer_id": customer.made}))

    def _write_opportunity(self, stage: str, *, stalled: bool) -> None:
        if stage in OPEN_STAGES:
            path = list(OPEN_STAGES[: OPEN_STAGES.index(stage) + 1])
            entered = [self.random.randint(10, 30) if stalled else self.random.randint(1, 5)]
        else:
            lost_at = self.random.randint(1, 4)
            path = [*OPEN_STAGES[: 4 if stage == "won" else lost_at], stage]
            entered = [self.random.randint(1, YEAR)]
        for _ in path[1:]:
            entered.insert(0, entered[0] + self.random.randint(2, 12))
        customer = self.random.choice([each for each in self.customers if each.since > entered[0]])
        owner = customer.owner
        if owner in REPS["ES"] and self.random.random() < 0.1:
            # A colleague helps out, and so comes to see the customer: their manager says so.
            owner = next(rep for rep in REPS["ES"] if rep != owner)
        made = Made("opportunities")
        values = self._opportunity(customer, entered[-1] if stage in OPEN_STAGES else None)
        actor = owner if owner == customer.owner else MANAGERS[owner]
        extra = {} if actor == owner else {"owner_id": owner}
        self._add(self._at(entered[0]), actor, Create(made, values | extra))
        for before, to in zip(entered[1:], path[1:], strict=True):
            reason = self.random.choice(LOST_REASONS) if to == "lost" else None
            self._add(self._at(before), owner, Move(made, to, reason))
        for began, here in zip(entered, path, strict=True):
            self._write_talk(here, customer, made, owner, began, entered[-1])
        if stage in OPEN_STAGES and not stalled:
            self._write_plan(stage, customer, made, owner, entered[-1])
        if stage == "won":
            customer.won.append(entered[-1])

    def _opportunity(self, customer: Customer, entered: int | None) -> Values:
        chosen = self.random.sample(range(len(PRODUCTS)), self.random.choice((1, 2, 2, 3)))
        lines, amount = [], Decimal(0)
        for number in chosen:
            quantity = self.random.choice((1, 1, 2, 3, 4))
            price = PRODUCTS[number][5]
            lines.append({"product_id": self.products[number], "quantity": quantity, "unit_price": price})
            amount += quantity * Decimal(price)
        values = {
            "name": f"{PRODUCTS[chosen[0]][1]}, {customer.values['name']}",
            "customer_id": customer.made,
            "amount": str(amount),
            "currency": "EUR",
            "lines": lines,
            "contacts": [{"contact_id": customer.contacts[0], "role": "decision_maker"}],
        }
        if entered is not None:
            closing = at(self.now, -self.random.randint(5, 60), 12).date()
            values["expected_close_on"] = closing.isoformat()
        return values

    def _write_talk(self, stage: str, customer: Customer, about: Made, owner: str, began: int, last: int) -> None:
        """What was done while it was in a stage: for two of five a call, a visit or so."""
        if stage not in ACTIVITIES or self.random.random() > 0.4:
            return
        before = max(began - self.random.randint(0, 1), last, 1)
        self._write_done(stage, customer, owner, before, {"opportunity_id": about})

    def _write_done(self, stage: str, customer: Customer, owner: str, before: int, about: Values) -> None:
        kind, objective, spanish, italian = self.random.choice(ACTIVITIES[stage])
        when = at(self.now, before, 18, self.random.randint(0, 50))
        outcomes = {"call": ("reached", "interested", "call_back"), "email": ("done", "interested", "no_answer")}
        values = {
            "kind": kind,
            "subject": spanish if customer.language == "es" else italian,
            "objective": objective,
            "customer_id": customer.made,
            "state": "done",
            "done_at": when,
            "outcome": self.random.choice(outcomes.get(kind, ("done",))),
            "report": self.random.choice(REPORTS[customer.language]),
            "purpose": "sales",
        }
        if kind in ("call", "visit"):
            values |= {"direction": "out", "duration_seconds": self.random.randint(2, 40) * 60}
        if kind in ("meeting", "visit"):
            values["contacts"] = [{"contact_id": customer.contacts[0]}]
        self._add(when, owner, Create(Made("activities"), values | about))

    def _write_plan(self, stage: str, customer: Customer, about: Made, owner: str, entered: int) -> None:
        """The next step, for three of four: overdue, today or to come. The rest have none, which the agenda says."""
        kind, objective, spanish, italian = self.random.choice(ACTIVITIES[stage])
        turn = self.random.random()
        if turn > 0.75:
            return
        if turn < 0.15:
            due, all_day = at(self.now, self.random.randint(1, min(entered, 3)), 19), False
        elif turn < 0.3:
            due, all_day = midnight(self.now, 0), True
        else:
            due, all_day = at(self.now, -self.random.randint(1, 12), self.random.randint(9, 17)), False
        values = {
            "kind": kind,
            "subject": spanish if customer.language == "es" else italian,
            "objective": objective,
            "customer_id": customer.made,
            "opportunity_id": about,
            "contacts": [{"contact_id": customer.contacts[0]}],
            "due_at": due,
            "all_day": all_day,
            "priority": self.random.choice((None, 2, 3)),
        }
        planned = at(self.now, entered, 18, 55)
        self._add(planned, owner, Create(Made("activities"), values))

    def _write_lifecycle(self, customer: Customer) -> None:
        """Whoever buys comes further in their lifecycle, each time."""
        stages = ("customer", "captive", "high_value")
        for before, stage in zip(sorted(customer.won, reverse=True), stages, strict=False):
            self._add(at(self.now, before, 18, 55), customer.owner, Change(customer.made, {"lifecycle_stage": stage}))

    def _write_loyalty(self) -> None:
        """Now and then somebody asks how things go; with some it is planned."""
        for number, customer in enumerate(self.random.sample(self.customers, 60)):
            if number % 4:
                before = self.random.randint(1, customer.since)
                self._write_done("loyalty", customer, customer.owner, before, {"purpose": "service"})
                continue
            kind, objective, spanish, italian = self.random.choice(ACTIVITIES["loyalty"])
            values = {
                "kind": kind,
                "subject": spanish if customer.language == "es" else italian,
                "objective": objective,
                "purpose": "service",
                "customer_id": customer.made,
                "due_at": at(self.now, -self.random.randint(1, 20), self.random.randint(9, 17)),
            }
            before = min(self.random.randint(1, 5), customer.since)
            self._add(at(self.now, before, 18, 57), customer.owner, Create(Made("activities"), values))

    def _lead(self, crowd: Crowd, company: Values) -> Values:
        person = crowd.person()
        email = crowd.email(person, domain_of(company))
        return {
            "first_name": person["first_name"],
            "last_name": person["last_name"],
            "company_name": company["name"],
            "sector": company["sector"],
            "website": company["website"],
            "emails": [{"address": email}],
            "phones": [crowd.mobile()],
            "preferred_language": crowd.language,
            "channel": self.random.choice(CHANNELS),
            "request": self.random.choice(("information", "quote", "purchase")),
            "message": self.random.choice(REQUESTS[crowd.language]),
        }

    def _write_lead(self, stage: str) -> None:
        country = self.random.choice(("ES", "ES", "IT"))
        crowd = self.crowds[country]
        rep = self.random.choice(REPS[country])
        path = {"new": (), "contacted": ("contacted",), "qualified": ("contacted", "qualified")}.get(stage)
        if path is None:
            path = ("contacted", "discarded")[self.random.randint(0, 1) :]
        self._walk(self._lead(crowd, crowd.company()), rep, path, self.random.randint(1, 40 if path else 3))

    def _walk(self, values: Values, rep: str, path: Sequence[str], last: int) -> Made:
        """Marketing writes a lead down for the rep, who works it stage by stage."""
        made, entered = Made("leads"), [last]
        for _ in path:
            entered.insert(0, entered[0] + self.random.randint(1, 6))
        self._add(self._at(entered[0]), "marketing", Create(made, values | {"owner_id": rep}))
        for before, to in zip(entered[1:], path, strict=True):
            reason = self.random.choice(("no_need", "no_answer", "no_budget", "timing")) if to == "discarded" else None
            self._add(self._at(before), rep, Move(made, to, reason))
        return made

    def _write_converted(self, country: str) -> None:
        crowd = self.crowds[country]
        rep = self.random.choice(REPS[country])
        values: dict[str, Any] = self._lead(crowd, crowd.company())
        before = self.random.randint(6, 60)
        made = self._walk(values, rep, ("contacted", "qualified"), before)
        name = f"{self.random.choice(PRODUCTS)[1]}, {values['company_name']}"
        self._add(self._at(before - 2), rep, Convert(made, {"opportunity": {"name": name}}))
