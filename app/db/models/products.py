"""Products and services that are sold."""

from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, Numeric, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Record, money, trigram


class Product(Record):
    __tablename__ = "products"
    __table_args__ = (
        Index("products_sku_key", "sku", unique=True, postgresql_where=text("archived_at is null")),
        Index("products_name_key_id_idx", "name_key", "id"),
        trigram("products_search_open_idx", "search_open"),
        CheckConstraint("kind in ('product', 'service')", name="kind"),
    )

    sku: Mapped[str | None] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(Text(collation="C"))
    kind: Mapped[str] = mapped_column(String(10))
    category: Mapped[str | None] = mapped_column(String(200))
    unit: Mapped[str | None] = mapped_column(String(60))
    price: Mapped[Decimal | None] = money()
    currency: Mapped[str | None] = mapped_column(String(3))
    tax_rate: Mapped[Decimal | None] = mapped_column(Numeric)
    active: Mapped[bool] = mapped_column(default=True)
    tags: Mapped[list[str]] = mapped_column(default=list)
    search_open: Mapped[str] = mapped_column(Text, default="")
