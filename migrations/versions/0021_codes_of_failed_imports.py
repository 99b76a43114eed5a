"""A failed import says by a code why, and contacts have a time zone, as customers do."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("imports", sa.Column("failure_code", sa.String(60)))
    op.add_column("contacts", sa.Column("time_zone", sa.String(64)))
