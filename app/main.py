"""The application: routes, errors, and what it opens and closes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from pydantic.json_schema import models_json_schema

from app.api import answer_headers, dry_runs, health, problems
from app.api.edge import Edge
from app.api.origins import Origins
from app.api.routers import PREFIX, Included
from app.api.routes import ROUTERS
from app.api.submissions import FormSubmission
from app.db import bell, session
from app.db.idempotency import Replayed
from app.domain.entities.fields import Can

VERSION = "0.1.0"
DESCRIPTION = """
A headless CRM: customers at the centre; users, contacts, products and opportunities around them.

Amounts are decimal strings beside an ISO 4217 currency, instants RFC 3339 in UTC, telephones E.164, countries
ISO 3166-1. Lists are paged by key: follow `next_cursor`. Errors are problem details (RFC 9457) with a stable `code`.
"""


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield
    await bell.close()
    await session.close()


async def replayed(_: Request, error: Exception) -> Response:
    assert isinstance(error, Replayed)
    return Response(error.body, error.status, {**error.headers, "Idempotency-Replayed": "true"})


def operation_id(route: APIRoute) -> str:
    return route.name


def make_app() -> FastAPI:
    # Its documentation page comes with its scripts: nothing is fetched from elsewhere.
    app = FastAPIOffline(
        title="Clientela",
        version=VERSION,
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        servers=[{"url": "/"}],
        separate_input_output_schemas=False,
        generate_unique_id_function=operation_id,
        lifespan=lifespan,
        responses=problems.RESPONSES,
        redoc_url=None,
        redirect_slashes=False,
        # Asks every request whether somebody is told of it: nobody is.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)
    app.include_router(health.router)
    included = Included(app)
    app.router.routes.insert(0, included)
    problems.install(app)
    app.add_exception_handler(Replayed, replayed)
    app.add_middleware(Edge)
    app.add_middleware(Origins)
    described = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema:
            return app.openapi_schema
        document = described()
        _, schemas = models_json_schema(
            [(problems.Problem, "serialization"), (FormSubmission, "validation"), (Can, "serialization")],
            ref_template="#/components/schemas/{model}",
        )
        document["components"]["schemas"] |= schemas["$defs"]
        for unused in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(unused, None)
        answer_headers.name(document)
        dry_runs.name(document, included.writes_to_try())
        return document

    app.openapi = openapi  # type: ignore[method-assign]
    return app


app = make_app()
