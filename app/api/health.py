"""Whether the process is alive, and whether it can serve."""

from fastapi import APIRouter
from pydantic import BaseModel

from app.db import health
from app.errors import Unavailable

router = APIRouter(tags=["health"])


class Health(BaseModel):
    status: str


@router.get("/healthz")
async def read_health() -> Health:
    """Whether this process answers."""
    return Health(status="ok")


@router.get("/readyz")
async def read_readiness() -> Health:
    """Whether the database answers and is migrated."""
    if not await health.is_ready():
        raise Unavailable("The database is not migrated")
    return Health(status="ok")
