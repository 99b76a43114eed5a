"""What is wrong with a row of a file, said so that whoever has the file finds it?"""

from collections.abc import Sequence
from typing import Any

from app.domain.entities.targets import Target

LONGEST_SHOWN = 200


def located(found: Sequence[Target], loc: Sequence[Any]) -> Target | None:
    """The target that fills a place in the record, such as addresses, 0, country."""
    names = [str(part) for part in loc if not str(part).isdigit()]
    positions = [int(part) for part in loc if str(part).isdigit()]
    same = [each for each in found if names and each.field == names[0]]
    exact = (
        each
        for each in same
        if each.item is None or (each.item in names[1:] and (not positions or each.position == positions[0]))
    )
    return next(exact, same[0] if same else None)


def row_error(
    row: int,
    target: Target | None,
    code: str,
    message: str,
    value: str | None = None,
    *,
    field: str | None = None,
    nearest: str | None = None,
) -> dict[str, Any]:
    """An error as it is kept and shown. `row` counts as a spreadsheet does: the header is row 1."""
    if target is not None and field is None:
        field = place(target)
    return {
        "row": row,
        "column": target.column if target else None,
        "field": field,
        "code": code,
        "value": printable(value),
        "message": message,
        "nearest": nearest,
    }


def place(target: Target) -> str:
    """A target as a mapping names it."""
    return f"{target.field}.{target.item}" if target.item else target.field


def printable(value: str | None) -> str | None:
    """A cell as an error shows it: short, and without what cannot be stored."""
    if value is None:
        return None
    clean = value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    return clean if len(clean) <= LONGEST_SHOWN else f"{clean[:LONGEST_SHOWN]}…"
