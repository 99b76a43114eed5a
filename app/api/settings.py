"""The company's settings over HTTP."""

from fastapi import Response

from app.api.deps import Caller, IfMatch, Session
from app.api.render import PRIVATE
from app.api.routers import Router
from app.db.models.vocabulary import Setting
from app.domain import settings
from app.domain.entities.settings import SettingsRead, SettingsUpdate

router = Router(prefix="/settings", tags=["settings"])


@router.get("", response_model=SettingsRead)
async def read_settings(session: Session, access: Caller) -> Response:
    """Read the company's settings."""
    return _answer(await settings.read(session, access))


@router.patch("", response_model=SettingsRead)
async def update_settings(session: Session, access: Caller, data: SettingsUpdate, if_match: IfMatch = None) -> Response:
    """Change the given settings."""
    return _answer(await settings.change(session, access, data, if_match))


def _answer(row: Setting) -> Response:
    model = SettingsRead.model_validate({name: getattr(row, name) for name in SettingsRead.model_fields})
    return Response(model.model_dump_json(), 200, PRIVATE | {"ETag": f'"{row.version}"'}, "application/json")
