"""Rows of files are not packed: they are looked at once or twice and then gone."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("alter table import_rows set (toast_tuple_target = 8160)")
