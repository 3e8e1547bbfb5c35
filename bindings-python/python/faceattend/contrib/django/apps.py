"""The app's entry in Django."""

from django.apps import AppConfig


class FaceAttendConfig(AppConfig):
    """Face recognition attendance."""

    name = "faceattend.contrib.django"
    label = "faceattend"
    verbose_name = "Face attendance"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Registers the checks. Loads no model and opens no camera: a server may fork after this."""
        from . import checks  # noqa: F401
