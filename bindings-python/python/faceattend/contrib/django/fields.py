"""A time of the reference server, as a field of Django."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, Optional

from django.db import models

if TYPE_CHECKING:
    _DateTimeField = models.DateTimeField[Any, Any]
else:
    _DateTimeField = models.DateTimeField


class ServerTimeField(_DateTimeField):
    """A time that PostgreSQL keeps without a zone, in UTC, as the reference server does: it reads no other type."""

    def db_type(self, connection: Any) -> Optional[str]:
        """Returns the type of the column."""
        return "timestamp" if connection.vendor == "postgresql" else super().db_type(connection)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Returns the time with its zone."""
        if isinstance(value, datetime.datetime) and value.tzinfo is None:
            return value.replace(tzinfo=datetime.timezone.utc)
        return value
