"""no foreign keys on who wrote a record, nor on the import of a row"""

from alembic import op

revision = "0002"
down_revision = "0001"

RECORDS = ("contacts", "customers", "imports", "opportunities", "picklists", "pipelines", "products", "users")


def upgrade() -> None:
    for table in RECORDS:
        op.drop_constraint(f"{table}_created_by_fkey", table)
        op.drop_constraint(f"{table}_updated_by_fkey", table)
    op.drop_constraint("import_rows_import_id_fkey", "import_rows")
