"""What changed since some time is found by the ranges of pages that it can be in."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    for table in ("customers", "contacts", "leads", "opportunities", "activities"):
        op.create_index(
            f"{table}_updated_at_idx",
            table,
            ["updated_at"],
            postgresql_using="brin",
            postgresql_with={"pages_per_range": "16"},
        )
