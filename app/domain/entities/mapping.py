"""What does a mapping say: which column of a file fills which field, and how are its cells to be read?

{"match_on": "name",
 "columns": {"account": "name", "sector": {"to": "sector", "value_map": {"technolgy": "technology"}},
             "revenue": {"to": "annual_revenue", "multiply": 1000000}, "office_location": "addresses.country",
             "subsidiary_of": "parent", "sales_agent": {"to": "owner", "by": "username"}, "year_established": null},
 "constants": {"currency": "USD"}}
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.domain.entities.fields import Fields
from app.domain.entities.values import Amount, System

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Cell = Annotated[str, StringConstraints(max_length=20_000)]


class Column(Fields):
    """Where a column goes, when its name alone does not say it.

    to: a field (`name`), a field of a list's item (`addresses.country`, of the second `addresses.2.country`), a record
    that the cell names (`customer`, `lines.product`), or `external_id`. by: by which of its keys the cell names it.
    value_map: what stands in a cell → what is meant, null for nothing; other cells stay as they are. multiply: what a
    number is multiplied by, 1000000 for a column in millions.
    """

    to: Name
    by: Name | None = None
    value_map: Annotated[dict[Cell, Cell | None], Field(max_length=10_000)] = {}
    multiply: Amount | None = None


Target = Name | Column


class Mapping(Fields):
    """How the rows of a file become records.

    match_on: the key by which a row finds its record, and rows are one: `external_id`, `name`, `username`, `sku`,
    `tax_id` or `email`; left out, each row is a new record. external_system: whose ids `external_id` are. columns:
    every column of the file, null for one that is left out. constants: field → what it is in every row.
    """

    match_on: Name | None = None
    external_system: System | None = None
    columns: Annotated[
        dict[Name, Target | Annotated[list[Target], Field(max_length=20)] | None], Field(min_length=1, max_length=200)
    ]
    constants: Annotated[dict[Name, Name | bool | int | Decimal], Field(max_length=100)] = {}


class ImportOptions(Fields):
    """How the file is written, where the file does not tell, and whether it is only tried.

    delimiter: left out, the one that fits. encoding: left out, by the file's mark, else UTF-8, else cp1252. date_order:
    of a date such as 3/1/2017; 2017-03-01 is always understood. decimal_mark: the other one may group thousands.
    dry_run: check all, count what would be done, write no record.
    """

    delimiter: Literal[",", ";", "\t", "|"] | None = None
    encoding: Literal["utf-8", "utf-16", "cp1252", "cp1250", "iso-8859-1", "iso-8859-15"] | None = None
    date_order: Literal["ymd", "dmy", "mdy"] = "ymd"
    decimal_mark: Literal[".", ","] = "."
    dry_run: bool = False
