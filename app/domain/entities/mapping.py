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
from app.domain.entities.values import Amount

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Cell = Annotated[str, StringConstraints(max_length=20_000)]


class Column(Fields):
    """Where a column goes, when its name alone does not say it."""

    to: Annotated[
        Name,
        Field(
            description="A field (`name`), a field of a list's item (`addresses.country`, of the second `addresses.2.country`), a record that it names (`customer`, `lines.product`) or `external_id`."
        ),
    ]
    by: Annotated[
        Name | None, Field(description="For a record that it names: by which of its keys; left out: `name`.")
    ] = None
    value_map: Annotated[
        dict[Cell, Cell | None],
        Field(
            max_length=10_000,
            description="What stands in a cell → what is meant; null: nothing. Cells that are not in it stay as they are.",
        ),
    ] = {}
    multiply: Annotated[
        Amount | None, Field(description="A number is multiplied by this: 1000000 for a column in millions.")
    ] = None


class Mapping(Fields):
    """How the rows of a file become records. Every column of the file is named; null leaves one out."""

    match_on: Annotated[
        Name | None,
        Field(
            description="The key by which a row finds its record, and rows are one: `external_id`, `name`, `username`, `sku`, `tax_id` or `email`. Left out: each row is a new record."
        ),
    ] = None
    external_system: Annotated[
        str | None, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,49}$", description="The system whose ids `external_id` are.")
    ] = None
    columns: Annotated[
        dict[Name, None | Name | Column | Annotated[list[Name | Column], Field(max_length=20)]],
        Field(min_length=1, max_length=200),
    ]
    constants: Annotated[
        dict[Name, Name | bool | int | Decimal],
        Field(max_length=100, description="The same for every row: field → value."),
    ] = {}


class ImportOptions(Fields):
    """How the file is written, where it cannot be told from the file, and whether it is only tried."""

    delimiter: Annotated[Literal[",", ";", "\t", "|"] | None, Field(description="Left out: the one that fits.")] = None
    encoding: Annotated[
        Literal["utf-8", "utf-16", "cp1252", "cp1250", "iso-8859-1", "iso-8859-15"] | None,
        Field(description="Left out: by its mark, else UTF-8, else cp1252."),
    ] = None
    date_order: Annotated[
        Literal["ymd", "dmy", "mdy"],
        Field(description="The order of a date such as 3/1/2017; 2017-03-01 is always understood."),
    ] = "ymd"
    decimal_mark: Annotated[Literal[".", ","], Field(description="The other one may group thousands.")] = "."
    dry_run: Annotated[bool, Field(description="Check all, count what would be done, write no record.")] = False
