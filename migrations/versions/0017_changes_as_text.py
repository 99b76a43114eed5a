"""What the ledger will say of an import's rows waits as text: it is put together as text, and read as JSON once."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute("alter table import_rows add column changes text")
    # Of what was checked and not loaded yet. The braces are put around all that there is to say. Each member is an
    # array, so that no other brace stands at an end.
    op.execute("""
        update import_rows set data = data - 'changes', changes = btrim(data ->> 'changes', '{}')
        where data ? 'changes'
    """)
