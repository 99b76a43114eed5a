"""Jobs that failed are found among the many that are done, and an opportunity's messages among all."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_index("jobs_failed_idx", "jobs", ["id"], postgresql_where=sa.text("state = 'failed'"))
    about = sa.text("opportunity_id is not null")
    op.create_index("messages_opportunity_id_idx", "messages", ["opportunity_id"], postgresql_where=about)
