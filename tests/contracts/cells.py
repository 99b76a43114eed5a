"""The matrix as questions: each cell of the table, and every route that the application has."""

from dataclasses import dataclass

from fastapi.routing import iter_route_contexts

from tests.contracts.matrix import PROFILES, RELATIONS, TABLE

# The API's description of itself, which is the same for everybody.
DESCRIBED = {"/openapi.json", "/docs", "/docs/oauth2-redirect"}


@dataclass(frozen=True)
class Cell:
    """One question and its answer: sign as in the table."""

    method: str
    path: str
    profile: str
    relation: str
    sign: str


def cells() -> list[Cell]:
    """The table, cell by cell."""
    found = []
    for line in TABLE.strip().splitlines()[1:]:
        if line:
            method, path, *columns = line.split()
            for profile, signs in zip(PROFILES, columns, strict=True):
                relations = RELATIONS if len(signs) > 1 else ("missing",)
                found += [
                    Cell(method, path, profile, relation, sign)
                    for relation, sign in zip(relations, signs, strict=True)
                    if sign != "-"
                ]
    return found


def routes() -> set[tuple[str, str]]:
    """Every route there is, from the application."""
    from app.main import app

    contexts = list(iter_route_contexts(app.routes))
    # A parameter that takes slashes says so in the route, and not in the document.
    found = {(method, each.path.replace(":path}", "}")) for each in contexts for method in each.methods or ()}
    # OPTIONS is a browser's own question before one of these.
    return {(method, path) for method, path in found if path not in DESCRIBED and method != "OPTIONS"}
