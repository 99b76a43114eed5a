"""What was created since some time is found without looking through everything."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    for table in ("customers", "contacts", "leads", "opportunities", "activities"):
        op.create_index(
            f"{table}_created_at_idx",
            table,
            ["created_at"],
            postgresql_using="brin",
            postgresql_with={"pages_per_range": "16", "autosummarize": "on"},
        )
