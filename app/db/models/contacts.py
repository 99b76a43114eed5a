"""Contacts: the people at a customer."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Json, Record, by_change, trigram


class Contact(Record):
    __tablename__ = "contacts"
    __table_args__ = (
        Index("contacts_customer_id_idx", "customer_id"),
        Index("contacts_name_key_id_idx", "name_key", "id"),
        Index("contacts_created_at_id_idx", "created_at", "id"),
        by_change("contacts"),
        trigram("contacts_search_open_idx", "search_open"),
        trigram("contacts_search_contact_details_idx", "search_contact_details"),
    )

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    salutation: Mapped[str | None] = mapped_column(String(50))
    first_name: Mapped[str | None] = mapped_column(String(100))
    last_name: Mapped[str | None] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(201))
    name_key: Mapped[str] = mapped_column(Text(collation="C"))
    job_title: Mapped[str | None] = mapped_column(String(200))
    department: Mapped[str | None] = mapped_column(String(50))
    role: Mapped[str | None] = mapped_column(String(50))
    reports_to_id: Mapped[UUID | None] = mapped_column(ForeignKey("contacts.id"))
    primary: Mapped[bool] = mapped_column(default=False)
    former: Mapped[bool] = mapped_column(default=False)
    tags: Mapped[list[str]] = mapped_column(default=list)

    phones: Mapped[list[Json]] = mapped_column(default=list)
    emails: Mapped[list[Json]] = mapped_column(default=list)
    addresses: Mapped[list[Json]] = mapped_column(default=list)
    social_profiles: Mapped[list[Json]] = mapped_column(default=list)
    preferred_channel: Mapped[str | None] = mapped_column(String(50))
    preferred_language: Mapped[str | None] = mapped_column(String(20))
    time_zone: Mapped[str | None] = mapped_column(String(64))

    traits: Mapped[list[Json]] = mapped_column(default=list)

    birth_day: Mapped[int | None] = mapped_column(SmallInteger)
    birth_month: Mapped[int | None] = mapped_column(SmallInteger)
    birth_year: Mapped[int | None] = mapped_column(SmallInteger)
    important_dates: Mapped[list[Json]] = mapped_column(default=list)
    relatives: Mapped[list[Json]] = mapped_column(default=list)
    hobbies: Mapped[list[str]] = mapped_column(default=list)

    search_open: Mapped[str] = mapped_column(Text, default="")
    search_contact_details: Mapped[str] = mapped_column(Text, default="")
