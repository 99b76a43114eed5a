"""Search indexes keep a list of up to 1 MB of what is pending: files load quicker, and searches hardly notice."""

from alembic import op

revision = "0013"
down_revision = "0012"

_INDEXES = """
select format('alter index %I.%I set (gin_pending_list_limit = 1024)', n.nspname, i.relname) as change
from pg_class i join pg_namespace n on n.oid = i.relnamespace
where n.nspname = current_schema() and i.reloptions @> array['gin_pending_list_limit=256']
"""


def upgrade() -> None:
    op.execute(f"do $$ declare each record; begin for each in {_INDEXES} loop execute each.change; end loop; end $$")
