"""A school's Django project with face attendance: what it needs and no more."""

import os
from pathlib import Path

from django.core.management.utils import get_random_secret_key

DATA = Path(os.environ.get("FACEATTEND_DATA_DIR", Path(__file__).parent.parent / "data"))
DATA.mkdir(parents=True, exist_ok=True)


def kept_secret() -> str:
    """A secret of this project's own, made at its first start."""
    path = DATA / "django-secret"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(get_random_secret_key())
    return path.read_text()


SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or kept_secret()
DEBUG = os.environ.get("DJANGO_DEBUG", "1") == "1"
ALLOWED_HOSTS = os.environ.get("DJANGO_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "faceattend.contrib.django",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "school.urls"
WSGI_APPLICATION = "school.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        # The reference server's file: both use it at once.
        "NAME": DATA / "face_attendance.db",
        "OPTIONS": {"timeout": 20},
    }
}
USE_TZ = True
TIME_ZONE = os.environ.get("FACEATTEND_TIME_ZONE", "UTC")
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Every key may be left out: see faceattend/contrib/django/conf.py.
FACEATTEND = {"THRESHOLD": 0.7}
