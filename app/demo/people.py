"""Who are the demo's customers, their contacts and those who ask? Drawn from a seed, the same for the same one."""

from random import Random
from typing import Any

from mimesis import Person
from mimesis.enums import Gender
from mimesis.locales import Locale

from app.demo.words import JOBS, LEGAL_FORMS, PLACES, STREETS, TRADES, Place
from app.domain.entities.values import fold

Values = dict[str, Any]
LOCALES = {"ES": Locale.ES, "IT": Locale.IT}
LANGUAGES = {"ES": "es", "IT": "it"}
ORIGINS = ("web_search", "social_network", "advertisement", "word_of_mouth", "event", "cold_call", "partner")


class Crowd:
    """Draws people and companies of one country. No two companies and no two addresses are the same."""

    def __init__(self, country: str, seed: int) -> None:
        self.country = country
        self.language = LANGUAGES[country]
        self.random = Random(f"{country} {seed}")
        self._names = Person(LOCALES[country], seed=seed)
        self._taken: set[str] = set()

    def person(self) -> Values:
        """First and last name, and the salutation that goes with them."""
        gender = self.random.choice((Gender.FEMALE, Gender.MALE))
        return {
            "first_name": self._names.first_name(gender=gender),
            "last_name": self._surname(gender),
            "salutation": "ms" if gender is Gender.FEMALE else "mr",
        }

    def company(self) -> Values:
        """Name, legal name, sector, website and the domain of its e-mail addresses."""
        while True:
            trade, sector = self.random.choice(TRADES[self.country])
            name = f"{trade} {self._surname()}"
            if name not in self._taken:
                break
        self._taken.add(name)
        legal = f"{name} {self.random.choice(LEGAL_FORMS[self.country])}"
        domain = f"{_slug(name)}.example"
        return {"name": name, "legal_name": legal, "sector": sector, "website": f"https://www.{domain}"}

    def email(self, person: Values, domain: str) -> str:
        """An address that is nobody else's; what ends in `.example` is nobody's at all."""
        local = f"{_slug(person['first_name'])}.{_slug(person['last_name'])}"
        address, number = f"{local}@{domain}", 1
        while address in self._taken:
            number += 1
            address = f"{local}{number}@{domain}"
        self._taken.add(address)
        return address

    def place(self) -> tuple[Place, Values]:
        """A town, and an address in it."""
        place = self.random.choice(PLACES[self.country])
        return place, {
            "street": f"{self.random.choice(STREETS[self.country])}, {self.random.randint(1, 180)}",
            "city": place.city,
            "municipality": place.city,
            "province": place.province,
            "region": place.region,
            "postal_code": f"{place.prefix}{self.random.randint(10, 49)}",
            "country": self.country,
        }

    def landline(self, place: Place) -> Values:
        """A number of the town, as one would dial it from abroad."""
        prefix = {"ES": "+34", "IT": "+39"}[self.country] + place.landline
        digits = {"ES": 9, "IT": 9}[self.country] - len(place.landline)
        return {"kind": "landline", "number": prefix + self._digits(digits)}

    def mobile(self) -> Values:
        prefix, digits = {"ES": ("+346", 8), "IT": ("+39347", 7)}[self.country]
        return {"kind": "mobile", "number": prefix + self._digits(digits)}

    def customer(self) -> Values:
        """A customer as it would be typed in: four of five are companies."""
        place, address = self.place()
        common: Values = {
            "addresses": [address],
            "origin": self.random.choice(ORIGINS),
            "preferred_language": self.language,
            "purchase_potential": self.random.choice(("high", "medium", "medium", "low")),
        }
        if self.random.random() < 0.2:
            person = self.person()
            return common | {
                "kind": "person",
                "name": f"{person['first_name']} {person['last_name']}",
                "customer_type": "end_customer",
                "emails": [{"address": self.email(person, "correo.example")}],
                "phones": [self.mobile()],
                "preferred_channel": self.random.choice(("whatsapp", "phone", "email")),
            }
        company = self.company()
        employees = self.random.choice((3, 6, 9, 14, 22, 35, 60, 120, 240))
        return common | company | {
            "kind": "company",
            "customer_type": self.random.choice(("end_customer", "end_customer", "distributor", "reseller")),
            "employees": employees,
            "annual_revenue": employees * self.random.randint(40, 110) * 1000,
            "currency": "EUR",
            "emails": [{"address": f"info@{domain_of(company)}"}],
            "phones": [self.landline(place)],
            "preferred_channel": self.random.choice(("email", "phone")),
        }  # fmt: skip

    def contacts(self, customer: Values) -> list[Values]:
        """One to three people at a customer; a person is their own contact."""
        if customer["kind"] == "person":
            first, _, last = customer["name"].partition(" ")
            return [{"first_name": first, "last_name": last, "primary": True, "phones": customer["phones"]}]
        made = []
        for position, job in enumerate(self.random.sample(JOBS[self.country], self.random.choice((1, 1, 1, 2, 2, 3)))):
            person, (of_woman, of_man, department, role) = self.person(), job
            made.append(
                person
                | {
                    "job_title": of_woman if person["salutation"] == "ms" else of_man,
                    "department": department,
                    "role": role,
                    "primary": position == 0,
                    "preferred_language": self.language,
                    "emails": [{"address": self.email(person, domain_of(customer))}],
                    "phones": [self.mobile()],
                }
            )
        return made

    def _surname(self, gender: Gender | None = None) -> str:
        """One of mimesis's, but for a heading that strayed among the Spanish ones."""
        while (name := self._names.surname(gender=gender)) == "Name":
            pass
        return name

    def _digits(self, count: int) -> str:
        return "".join(self.random.choice("123456789") for _ in range(count))


def domain_of(company: Values) -> str:
    """The domain of a company's e-mail addresses."""
    return str(company["website"]).removeprefix("https://www.")


def _slug(name: str) -> str:
    return "".join(letter for letter in fold(name) if letter.isascii() and letter.isalnum())
