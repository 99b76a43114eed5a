"""Which of the known names did somebody probably mean?"""

import re
from collections.abc import Iterable

from app.domain.entities.text import fold

# Similarity in percent: "technolgy" and "technology" have 95, "GTXPro" and "GTX Pro" 100, "Korea" and "South Korea" 67.
_NEAR_ENOUGH = 72
# Characters that are looked at: names are shorter, and folding a text of nothing but marks takes the square of them.
_LOOKED_AT = 200


def nearest(value: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like the value, the first of equals; None if none is near. Case, accents, blanks and
    punctuation do not count."""
    return nearest_of_each((value,), candidates).get(value)


def did_you_mean(value: str, candidates: Iterable[str]) -> str:
    """What a message of something unknown ends with: the nearest that there is, if there is one."""
    near = nearest(value, candidates)
    return f"; did you mean {near}?" if near else ""


def nearest_of_each(values: Iterable[str], candidates: Iterable[str]) -> dict[str, str]:
    """The same for many values at once; those that nothing is near to are left out."""
    # Only where something is misspelt: every process would pay 2.5 MB for it.
    from rapidfuzz import fuzz, process

    named: dict[str, str] = {}
    for candidate in candidates:
        named.setdefault(_essence(candidate), candidate)
    essences = list(named)
    found = {}
    for value in values:
        essence = _essence(value)
        best = process.extractOne(essence, essences, scorer=fuzz.ratio, score_cutoff=_NEAR_ENOUGH) if essence else None
        if best:
            found[value] = named[best[0]]
    return found


def _essence(text: str) -> str:
    return re.sub(r"[\W_]", "", fold(text[:_LOOKED_AT]))
