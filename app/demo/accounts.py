"""Who signs in to the demo? Eight people in two teams; the first of each profile is who the command prints."""

from dataclasses import dataclass

DOMAIN = "demo.example"


@dataclass(frozen=True, slots=True)
class Account:
    """name: the part of the username before the domain. title: what the person is called."""

    name: str
    title: str
    profile: str
    department: str
    manager: str | None = None
    locale: str = "es"
    time_zone: str = "Europe/Madrid"

    @property
    def username(self) -> str:
        return f"{self.name}@{DOMAIN}"


ACCOUNTS = (
    Account("administrator", "Carmen Vidal", "administrator", "administration"),
    Account("manager", "Marta Soler", "manager", "sales"),
    Account("manager2", "Paolo Ferri", "manager", "sales", locale="it", time_zone="Europe/Rome"),
    Account("sales", "Diego Navarro", "sales", "sales", "manager"),
    Account("sales2", "Lucía Prieto", "sales", "sales", "manager"),
    Account("sales3", "Giulia Conti", "sales", "sales", "manager2", "it", "Europe/Rome"),
    Account("marketing", "Elena Ramos", "marketing", "marketing", "manager"),
    Account("support", "Luca Marini", "support", "support", "manager2", "it", "Europe/Rome"),
)
PRINTED = ("administrator", "manager", "sales", "marketing", "support")
