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


class MakeTables(migrations.SeparateDatabaseAndState):
    """Makes tables by the reference server's own statements, which do nothing where it has made them.

    On a database that the server knows nothing of, the tables are made of the models.
    """

    def __init__(self, statements: dict[str, list[str]], models: list[migrations.CreateModel]) -> None:
        super().__init__(state_operations=models)
        self._statements, self._models = statements, models

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Returns how the operation is written."""
        return type(self).__name__, [self._statements, self._models], {}

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Makes the tables."""
        names = [model.name for model in self._models]
        alias = schema_editor.connection.alias
        if not all(self.allow_migrate_model(alias, to_state.apps.get_model(app_label, name)) for name in names):
            return
        statements = self._statements.get(schema_editor.connection.vendor)
        if statements is None:
            for name in names:
                schema_editor.create_model(to_state.apps.get_model(app_label, name))
            return
        for statement in statements:
            schema_editor.execute(statement, None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Leaves the tables: the reference server may still need them, and they hold people's data."""


class AdoptField(migrations.AddField):
    """Adds a column, or takes the one that is there."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Adds the column where it is missing."""
        model = to_state.apps.get_model(app_label, self.model_name)
        connection = schema_editor.connection
        if not self.allow_migrate_model(connection.alias, model):
            return
        field = model._meta.get_field(self.name)
        with connection.cursor() as cursor:
            table = connection.introspection.get_table_description(cursor, model._meta.db_table)
        if field.column not in {column.name for column in table}:
            quote = schema_editor.quote_name
            # Never by making the table anew, which would lose the triggers of the reference server.
            schema_editor.execute(
                f"ALTER TABLE {quote(model._meta.db_table)} ADD COLUMN {quote(field.column)} "
                f"{field.db_parameters(connection)['type']}"
            )

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Leaves the column."""
