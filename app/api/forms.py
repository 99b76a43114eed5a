"""Forms over HTTP, for those who set them up; whoever asks by a form's key is its visitor."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Request, Response

from app.api import render
from app.api.deps import Reading, bearer, get_claims
from app.api.listing import WITH, along
from app.api.records import list_routes, record_routes
from app.api.routers import Router
from app.api.submissions import LanguageQuery, describe
from app.domain import forms
from app.domain.entities.fields import Entity
from app.domain.entities.forms import FORMS, FormRead, VisitorForm


async def read_form(
    request: Request,
    id: Annotated[str, Path(description="The form's id, or its key.")],
    token: Annotated[str | None, Depends(bearer)],
    language: LanguageQuery = None,
) -> Response:
    """By its id: the form, for those who set it up. By its key: what its visitors see, without signing in."""
    try:
        form_id = UUID(id)
    except ValueError:
        return await describe(request, id, language)
    return await render.record(Reading(await get_claims(request, token)), FORMS, form_id, along(request.query_params))


def _routes(entity: Entity) -> Router:
    router = list_routes(entity)
    router.add_api_route(
        "/{id}",
        read_form,
        methods=["GET"],
        response_model=FormRead | VisitorForm,
        openapi_extra={"security": [{}], "parameters": [WITH]},
    )
    return router


router = record_routes(FORMS, forms.create, forms.change, routes=_routes)
