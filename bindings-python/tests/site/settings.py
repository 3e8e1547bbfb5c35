"""A Django project for the tests: this module's app, and a school of its own for the compatibility layer."""

import os
import tempfile
from pathlib import Path

BASE = Path(__file__).parent
SECRET_KEY = "for tests only"
DEBUG = True
ALLOWED_HOSTS = ["*"]
USE_TZ = True
TIME_ZONE = "Asia/Kolkata"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "faceattend.contrib.django",
    "tests.site.school",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "tests.site.urls"
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
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
# PostgreSQL where FACEATTEND_TEST_POSTGRES names a server: "host=... user=... port=...", or a URL.
if os.environ.get("FACEATTEND_TEST_POSTGRES"):
    from psycopg.conninfo import conninfo_to_dict

    _server = conninfo_to_dict(os.environ["FACEATTEND_TEST_POSTGRES"])
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _server.get("dbname", "postgres"),
            "USER": _server.get("user", "postgres"),
            "PASSWORD": _server.get("password", ""),
            "HOST": _server.get("host", ""),
            "PORT": _server.get("port", ""),
        }
    }
else:
    # A file under both names: the live server may start before the test database is made, and where it then finds one
    # in memory, all its threads share a single connection, which SQLite does not bear.
    _file = str(Path(tempfile.gettempdir()) / f"faceattend-{os.getpid()}.sqlite3")
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ.get("FACEATTEND_TEST_DATABASE", _file),
            "OPTIONS": {"timeout": 20},
            "TEST": {"NAME": _file},
        }
    }
FACEATTEND = {"ENGINE": {"antispoof": "off", "threads": 2}}
