"""index: what was won, by when"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_index(
        "opportunities_won_closed_at_idx",
        "opportunities",
        ["closed_at"],
        postgresql_include=["owner_id", "customer_id", "currency", "amount"],
        postgresql_where=sa.text("stage_kind = 'won' and archived_at is null"),
    )
