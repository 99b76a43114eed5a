"""What is due next among everybody's activities is found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_index(
        "activities_due_at_id_idx", "activities", ["due_at", "id"], postgresql_where=sa.text("state = 'planned'")
    )
