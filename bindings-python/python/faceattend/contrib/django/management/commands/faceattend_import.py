"""``manage.py faceattend_import``: students from a CSV file or from another table."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Optional

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser

import faceattend
from faceattend.compat import stored
from faceattend.contrib.django import conf, enrolment
from faceattend.contrib.django.models import Student


class Command(BaseCommand):
    """Brings students in."""

    help = (
        "Brings students in from a CSV file (columns name, roll_number and, if there is one, photo) or from another "
        "model of this project. Whoever is there already keeps their name; a face is brought in where one is missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What it takes."""
        parser.add_argument("csv", nargs="?", type=Path, help="the file; photo paths are relative to it")
        parser.add_argument("--from-model", help="another model instead: app_label.Model")
        parser.add_argument("--embedding-model", help="the model that made its embeddings, on your word")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Imports."""
        if (options["csv"] is None) == (options["from_model"] is None):
            raise CommandError("Name a CSV file or --from-model, one of the two.")
        counts = {"made": 0, "faces": 0, "skipped": 0}
        rows = self._from_csv(options["csv"]) if options["csv"] else self._from_model(options)
        for name, roll_number, face, where in rows:
            if not name or not roll_number:
                self.stderr.write(f"{where}: name and roll number are needed")
                counts["skipped"] += 1
                continue
            student = Student.objects.filter(roll_number=roll_number).first()
            if student is None:
                counts["made"] += 1
                student = Student(name=name, roll_number=roll_number)
                if not options["dry_run"]:
                    student.save()
            if face is None or student.has_face:
                continue
            try:
                if not options["dry_run"]:
                    if isinstance(face, faceattend.Embedding):
                        enrolment.write_templates(student, [face], liveness_score=None)
                    else:
                        enrolment.enrol_from_photos(student, [face])
                counts["faces"] += 1
            except faceattend.FaceAttendError as error:
                self.stderr.write(f"{where}: {error}")
                counts["skipped"] += 1
        self.stdout.write("{made} students made, {faces} faces brought in, {skipped} skipped.".format(**counts))

    def _from_csv(self, path: Path) -> Any:
        try:
            with path.open(newline="", encoding="utf-8-sig") as file:
                for number, row in enumerate(csv.DictReader(file), 2):
                    photo = (row.get("photo") or "").strip()
                    roll_number = (row.get("roll_number") or row.get("roll_no") or "").strip()
                    face: Optional[Path] = path.parent / photo if photo else None
                    yield (row.get("name") or "").strip(), roll_number, face, f"line {number}"
        except OSError as error:
            raise CommandError(f"cannot read {path}: {error.strerror}") from error

    def _from_model(self, options: Any) -> Any:
        try:
            model = apps.get_model(options["from_model"])
        except (LookupError, ValueError) as error:
            raise CommandError(str(error)) from error
        for row in model._default_manager.all().iterator():
            face = stored.embedding_of(row, conf.engine(), model=options["embedding_model"])
            yield stored.name_of(row), stored.roll_number_of(row), face, f"{options['from_model']} {row.pk}"
