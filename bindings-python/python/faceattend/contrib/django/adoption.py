"""Migrations over a database that the reference server, or the service it replaces, has made already."""

from __future__ import annotations

from typing import Any

from django.db import migrations


class AdoptModel(migrations.CreateModel):
    """Makes a model's table, or takes the one that is there and adds the columns that it lacks."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Makes or completes the table."""
        model = to_state.apps.get_model(app_label, self.name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        connection = schema_editor.connection
        with connection.cursor() as cursor:
            if model._meta.db_table not in connection.introspection.table_names(cursor):
                super().database_forwards(app_label, schema_editor, from_state, to_state)
                return
            table = connection.introspection.get_table_description(cursor, model._meta.db_table)
        there = {column.name for column in table}
        quote = schema_editor.quote_name
        for field in model._meta.local_fields:
            if field.column not in there:
                # Added as nullable, whatever the model says, because there are rows already; never by making the table
                # anew, which would lose the triggers of the reference server.
                schema_editor.execute(
                    f"ALTER TABLE {quote(model._meta.db_table)} ADD COLUMN {quote(field.column)} "
                    f"{field.db_parameters(connection)['type']}"
                )
        for constraint in model._meta.constraints:
            columns = ", ".join(quote(model._meta.get_field(name).column) for name in constraint.fields)
            schema_editor.execute(
                f"CREATE UNIQUE INDEX IF NOT EXISTS {quote(constraint.name)} "
                f"ON {quote(model._meta.db_table)} ({columns})"
            )

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Leaves the table: the reference server may still need it, and it holds people's data."""
