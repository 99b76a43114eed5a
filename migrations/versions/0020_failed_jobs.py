"""Jobs that failed are found among the many that are done."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_index("jobs_failed_idx", "jobs", ["id"], postgresql_where=sa.text("state = 'failed'"))
