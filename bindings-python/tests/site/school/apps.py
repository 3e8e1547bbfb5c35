from django.apps import AppConfig


class SchoolConfig(AppConfig):
    name = "tests.site.school"
    label = "school"
