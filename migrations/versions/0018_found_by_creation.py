"""Lists in the order of creation, and of what was created since some time, come from an index."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    for table in ("customers", "contacts", "leads", "opportunities", "activities"):
        op.create_index(f"{table}_created_at_id_idx", table, ["created_at", "id"])
