"""What somebody owns, newest first, is found by an index, also where that is little and old."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    for table in ("customers", "leads", "opportunities", "activities"):
        op.create_index(f"{table}_owner_id_id_idx", table, ["owner_id", "id"])
    op.drop_index("opportunities_owner_id_idx", "opportunities")
