"""The public edge: forms as their visitors see them, and what visitors send by them. Nobody signs in here."""

from html import escape
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from fastapi import Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from app.api import dry_runs, form_bodies, render
from app.api.bodies import is_json
from app.api.deps import IdempotencyKey, fingerprint
from app.api.problems import RESPONSES
from app.api.records import read_routes
from app.api.routers import Router
from app.db import idempotency
from app.db import session as db
from app.domain import stamps, submissions
from app.domain.entities import submitted
from app.domain.entities.fields import Values
from app.domain.entities.forms import SUBMISSIONS, UTM, as_visited
from app.domain.submissions import Opened, Visitor
from app.errors import AppError, Forbidden
from app.texts.forms import ANY_PROBLEM, PROBLEMS, RECEIVED, visitor_language
from app.texts.labels import label

router = Router(prefix="/forms", tags=["forms"], route_class=APIRoute)
sent_in = read_routes(SUBMISSIONS)

NOT_KEPT = {"Cache-Control": "no-store"}
PAGE_HEADERS = NOT_KEPT | {"Content-Security-Policy": "default-src 'none'"}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key",
    "Access-Control-Max-Age": "600",
}

Key = Annotated[str, Path(description="The form's key.")]
LanguageQuery = Annotated[str | None, Query(description="A language tag; left out: what `Accept-Language` prefers.")]


class FormSubmission(BaseModel):
    """What a form asks for, and what goes with it. Further fields, such as the honeypot, are texts too."""

    model_config = ConfigDict(extra="allow")

    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: Annotated[str | None, Field(description="Without `+`: of the company's country.")] = None
    company_name: str | None = None
    job_title: str | None = None
    website: str | None = None
    message: str | None = None
    request: Annotated[str | None, Field(description="information, quote or purchase.")] = None
    consent: Annotated[bool | str | None, Field(description="Whether the visitor agrees to the consent's text.")] = None
    stamp: Annotated[str | None, Field(description="As the form gave it. Without it fewer are taken.")] = None
    language: Annotated[str | None, Field(description="In which the visitor read the form.")] = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_term: str | None = None
    utm_content: str | None = None


class SubmissionReceived(BaseModel):
    """The same for everybody."""

    message: Annotated[str, Field(description="In the visitor's language.")]


_OF_A_FORM = {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}
_JSON = {"schema": {"$ref": "#/components/schemas/FormSubmission"}}
_PAGE: Any = {"text/html": {"schema": {"type": "string"}}}
_SUBMIT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": _JSON, form_bodies.URLENCODED: _OF_A_FORM, form_bodies.MULTIPART: _OF_A_FORM},
    },
    "parameters": [{"name": name, "in": "query", "required": False, "schema": {"type": "string"}} for name in UTM],
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "A browser is told so, where the form has no page to go on to.", "content": _PAGE},
    303: {
        "description": "A browser goes on to the form's page, or to that for errors with `code` in its query.",
        "headers": {"Location": {"schema": {"type": "string"}}},
    },
    **{
        status: {"description": "Problem", "content": RESPONSES[status]["content"] | _PAGE}
        for status in (400, 403, 404, 409, 413, 415, 422, 429)
    },
}


async def describe(request: Request, key: str, language: str | None) -> Response:
    """The form as a visitor sees it. Raises `NotFound`, and `Forbidden` for pages of sites that are not the form's."""
    opened = await submissions.open_form(key)
    headers = _for_origin(request, opened.form)
    stamp = stamps.issue(opened.form["id"])
    form = as_visited(opened.form, _language(request, language, opened), stamp)
    return Response(form.model_dump_json(), 200, headers | NOT_KEPT, "application/json")


@router.post(
    "/{key}/submissions",
    status_code=202,
    response_model=SubmissionReceived,
    responses=_ANSWERS,
    openapi_extra=_SUBMIT,
)
async def submit_form(
    request: Request, key: Key, language: LanguageQuery = None, again: IdempotencyKey = None
) -> Response:
    """Send in a form; nobody signs in. A browser is sent on (303), a script is answered in JSON."""
    browser = _is_browser(request)
    opened: Opened | None = None
    headers: dict[str, str] = {}
    try:
        opened = await submissions.open_form(key)
        headers = _for_origin(request, opened.form)
        dry_runs.refuse(request)
        return await _submitted(request, opened, language, headers, again, browser)
    except idempotency.Replayed as kept:
        return Response(kept.body, kept.status, {**kept.headers, "Idempotency-Replayed": "true"} | headers | NOT_KEPT)
    except AppError as error:
        error.headers |= headers
        if not browser:
            raise
        return _refused(error, opened.form if opened else None, _language(request, language, opened))


@router.options("/{key}/submissions", include_in_schema=False)
@router.options("/{key}", include_in_schema=False)
async def answer_preflight(request: Request, key: Key) -> Response:
    """Browsers ask first whether a script of another site may send JSON."""
    opened = await submissions.open_form(key)
    return Response(None, 204, _for_origin(request, opened.form) | PREFLIGHT)


async def _submitted(
    request: Request, opened: Opened, language: str | None, headers: dict[str, str], again: str | None, browser: bool
) -> Response:
    fields = await form_bodies.sent(request)
    form, address = opened.form, submissions.address_hash(request.client.host if request.client else "")
    told = fields.get("stamp")
    await submissions.count_visit(form["id"], told if isinstance(told, str) else "", address)
    said = submitted.read(form, fields, request.query_params, opened.access.vocabulary.country)
    asked = fields.get("language")
    spoken = _language(request, asked if isinstance(asked, str) else language, opened)
    visitor = Visitor(spoken, submitted.page_of(request.headers.get("referer", "")), address)
    async with db.transaction("form") as session:
        if again is not None:
            whose = UUID(bytes=address[:16])
            await idempotency.begin(session, whose, "POST", request.url.path, again, fingerprint(request))
        await submissions.keep(session, opened, said, visitor)
        return await render.kept(session, _received(form, spoken, headers, browser))


def _received(form: Values, language: str, headers: dict[str, str], browser: bool) -> Response:
    if not browser:
        body = SubmissionReceived(message=label(RECEIVED, language)).model_dump_json()
        return Response(body, 202, headers | NOT_KEPT, "application/json")
    if form["redirect"]:
        return RedirectResponse(form["redirect"], 303, NOT_KEPT)
    return _page(RECEIVED, language, 200)


def _refused(error: AppError, form: Values | None, language: str) -> Response:
    """What a browser is told: the form's own page, with the code, or a small one of ours."""
    if form is None or not form["error_redirect"]:
        return _page(PROBLEMS.get(error.code, ANY_PROBLEM), language, error.status, error.headers)
    parts = urlsplit(form["error_redirect"])
    query = "&".join(filter(None, (parts.query, urlencode({"code": error.code}))))
    return RedirectResponse(parts._replace(query=query).geturl(), 303, NOT_KEPT)


def _page(text: dict[str, str], language: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """A page of one sentence. Nothing of what was sent is on it."""
    said = escape(label(text, language))
    html = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{said}</title>'
        f'<meta name="viewport" content="width=device-width"></head><body><p>{said}</p></body></html>'
    )
    return HTMLResponse(html, status, PAGE_HEADERS | (headers or {}))


def _is_browser(request: Request) -> bool:
    """Whether a page was sent off as a whole, and a person waits for the next one; else a script waits for data."""
    accept = request.headers.get("accept", "")
    if is_json(request.headers.get("content-type", "")[: form_bodies.LONGEST_HEADER]):
        return False
    if "text/html" in accept or "application/json" in accept:
        return "text/html" in accept
    is_form = form_bodies.media_type(request) in (form_bodies.URLENCODED, form_bodies.MULTIPART)
    return is_form and request.headers.get("sec-fetch-mode", "navigate") == "navigate"


def _for_origin(request: Request, form: Values) -> dict[str, str]:
    """What lets a script of the page's site read the answer. Raises `Forbidden` for a site that is not the form's.

    Whoever says no origin is no browser, or an old one, and is taken at their word.
    """
    allowed, origin = form["allowed_origins"], request.headers.get("origin")
    exposed = {"Access-Control-Expose-Headers": "Retry-After, X-Request-Id"}
    if not allowed:
        return {"Access-Control-Allow-Origin": "*"} | exposed
    if origin is None:
        return {"Vary": "Origin"}
    if origin not in allowed:
        raise Forbidden("The form is not for pages of this site", code="origin_not_allowed", headers={"Vary": "Origin"})
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"} | exposed


def _language(request: Request, asked: str | None, opened: Opened | None) -> str:
    company = opened.access.vocabulary.languages if opened else ()
    return visitor_language(asked, request.headers.get("accept-language", ""), company)
