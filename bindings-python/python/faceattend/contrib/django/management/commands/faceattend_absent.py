"""``manage.py faceattend_absent``: who is missing on a day."""

from __future__ import annotations

import datetime
from typing import Any, Optional

from django.core.management.base import BaseCommand, CommandError, CommandParser

from faceattend.contrib.django import boards
from faceattend.contrib.django.roster_models import StudentGroup, name_key


class Command(BaseCommand):
    """Prints who is missing, by group."""

    help = "Prints who is missing on a day, by group. Who is excused or late is not missing."

    def add_arguments(self, parser: CommandParser) -> None:
        """What it takes."""
        parser.add_argument("--day", help="such as 2026-03-02; default: the site's day that is now")
        parser.add_argument("--group", help="the name of a group, in any letter case; default: every group")
        parser.add_argument("--period", help="a period of the timetable; default: the one that is now")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints."""
        board = boards.board_of(
            self._day(options["day"]), group=self._group(options["group"]), period=options["period"]
        )
        if options["period"] and options["period"] not in board.periods:
            known = ", ".join(board.periods)
            raise CommandError(f"There is no period {options['period']!r} on {board.day}: there are {known}.")
        counts = board.counts
        if not counts.expected:
            self.stdout.write(f"{board.day}: nobody is expected{f' ({board.off})' if board.off else ''}.")
            return
        told = [f"{counts.absent} missing of {counts.expected}", f"{counts.late} late", f"{counts.excused} excused"]
        if counts.pending:
            told.append(f"{counts.pending} not late yet")
        self.stdout.write(f"{board.day}: {', '.join(told)}.")
        for each in board.groups:
            missing = [person for person in each.people if person.status.code == "Absent"]
            if missing:
                self.stdout.write(f"{each.group.name}: {len(missing)} of {each.counts.expected}")
            for person in missing:
                self.stdout.write(f"  {person.name} ({person.roll_number})")

    def _day(self, text: Optional[str]) -> Optional[datetime.date]:
        if text is None:
            return None
        try:
            return datetime.date.fromisoformat(text)
        except ValueError:
            raise CommandError(f"{text!r} is no day such as 2026-03-02.") from None

    def _group(self, name: Optional[str]) -> Optional[int]:
        if name is None:
            return None
        group = StudentGroup.objects.filter(name_key=name_key(name)).first()
        if group is None:
            known = ", ".join(StudentGroup.objects.filter(archived_at=None).values_list("name", flat=True)) or "none"
            raise CommandError(f"There is no group {name!r}: there are {known}.")
        return group.pk
