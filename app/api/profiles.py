"""Profiles and their policies over HTTP, for those whose profile configures profiles."""

from typing import Annotated

from fastapi import Path, Response, status

from app.api.deps import Caller, IdempotencyKey, IfMatch, Session
from app.api.render import PRIVATE, Page, kept
from app.api.routers import Router
from app.domain import profiles
from app.domain.entities.fields import Values
from app.domain.entities.profiles import KEY, ProfileCreate, ProfileRead, ProfileUpdate

router = Router(prefix="/profiles", tags=["profiles"])

Id = Annotated[str, Path(description="The profile's key.", pattern=KEY)]


@router.get("", response_model=Page[ProfileRead])
async def list_profiles(session: Session, access: Caller) -> Response:
    """List all profiles, on one page."""
    found = await profiles.read_all(session, access)
    items = [ProfileRead.model_validate(each) for each in found]
    page = Page[ProfileRead](items=items, next_cursor=None, total=len(items))
    return Response(page.model_dump_json(), 200, PRIVATE, "application/json")


@router.get("/{id}", response_model=ProfileRead)
async def read_profile(session: Session, access: Caller, id: Id) -> Response:
    """Read a profile."""
    return _answer(await profiles.read(session, access, id))


@router.post("", response_model=ProfileRead, status_code=status.HTTP_201_CREATED)
async def create_profile(session: Session, access: Caller, data: ProfileCreate, key: IdempotencyKey = None) -> Response:
    """Create a profile that grants nothing but what your own does, from nothing or from a copy of another."""
    profile = await profiles.create(session, access, data)
    answer = _answer(profile, status.HTTP_201_CREATED)
    answer.headers["Location"] = f"/v1/profiles/{profile['id']}"
    return await kept(session, answer)


@router.patch("/{id}", response_model=ProfileRead)
async def update_profile(
    session: Session, access: Caller, id: Id, data: ProfileUpdate, if_match: IfMatch = None
) -> Response:
    """Change the given fields; lists are replaced whole. In force with everybody's next request."""
    return _answer(await profiles.change(session, access, id, data, if_match))


@router.delete("/{id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_profile(session: Session, access: Caller, id: Id, if_match: IfMatch = None) -> Response:
    """Delete a profile that nobody has, no other inherits and no workflow names."""
    await profiles.delete(session, access, id, if_match)
    return Response(status_code=204)


def _answer(profile: Values, status: int = 200) -> Response:
    body = ProfileRead.model_validate(profile).model_dump_json()
    return Response(body, status, PRIVATE | {"ETag": f'"{profile["version"]}"'}, "application/json")
