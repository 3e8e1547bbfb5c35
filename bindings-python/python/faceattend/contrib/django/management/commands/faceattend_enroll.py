"""``manage.py faceattend_enroll``: a student's face from photographs, on the operator's word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

import faceattend
from faceattend.contrib.django import enrolment
from faceattend.contrib.django.models import Student


class Command(BaseCommand):
    """Gives a student the face that photographs show."""

    help = "Gives a student the face in photographs. Liveness counts as not verified: the operator vouches for them."

    def add_arguments(self, parser: CommandParser) -> None:
        """What it takes."""
        parser.add_argument("roll_number", help="the student's roll number")
        parser.add_argument("photos", nargs="+", type=Path, help="photographs of one face each; three views are better")
        parser.add_argument("--name", help="makes the student when there is none of this roll number")

    def handle(self, *args: Any, **options: Any) -> None:
        """Enrols."""
        roll_number, name = options["roll_number"], options["name"]
        student = Student.objects.filter(roll_number=roll_number).first()
        made = student is None
        if student is None:
            if not name:
                raise CommandError(f"There is no student with roll number {roll_number}: add --name to make one.")
            student = Student.objects.create(name=name, roll_number=roll_number)
        try:
            enrolment.enrol_from_photos(student, options["photos"])
        except faceattend.FaceAttendError as error:
            if made:
                student.delete()
            raise CommandError(str(error)) from error
        views = len(options["photos"])
        self.stdout.write(f"{student} is enrolled with {views} view{'' if views == 1 else 's'}.")
