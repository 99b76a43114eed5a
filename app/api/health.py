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
    """Whether the database answers and no migration is owed to it; else 503."""
    if not await health.is_ready():
        raise Unavailable("Migrations are owed to the database: ./crm migrate")
    return Health(status="ok")
