"""The app's entry in Django."""

from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class FaceAttendConfig(AppConfig):
    """Face recognition attendance."""

    name = "faceattend.contrib.django"
    label = "faceattend"
    verbose_name = "Face attendance"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Registers the checks. Loads no model and opens no camera: a server may fork after this."""
        from . import checks  # noqa: F401

        connection_created.connect(_overwrite_what_is_deleted, dispatch_uid="faceattend_secure_delete")


def _overwrite_what_is_deleted(sender: Any, connection: Any, **_: Any) -> None:
    """Makes SQLite overwrite a deleted face with zeros: it would stay in the free pages of the file."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")
