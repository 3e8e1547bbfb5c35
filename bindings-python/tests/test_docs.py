"""Every public item says what it is and does; every class that people make shows how."""

import doctest
import inspect

import pytest

import faceattend
from faceattend import aio, errors, models, types

from .conftest import ROOT

MODULES = [faceattend, aio, errors, models, types]
# What people make themselves; the other classes are answers.
MADE = [
    "AttendanceBook", "AttendancePolicy", "Camera", "Embedding", "Engine", "Gallery", "LivenessSession", "ReceiptKey",
    "Recognizer", "Rosters", "Store",
]  # fmt: skip


def public():
    for module in MODULES:
        for name in getattr(module, "__all__", [name for name in vars(module) if name.endswith("Error")]):
            item = getattr(module, name)
            if inspect.ismodule(item) or inspect.isroutine(item) or inspect.isclass(item):
                yield f"{module.__name__}.{name}", item
            if inspect.isclass(item):
                for member, value in vars(item).items():
                    if not member.startswith("_") and (callable(value) or hasattr(value, "__get__")):
                        yield f"{module.__name__}.{name}.{member}", value


def test_every_public_item_has_a_docstring():
    undocumented = [name for name, item in public() if not (getattr(item, "__doc__", None) or "").strip()]
    assert not undocumented


@pytest.mark.parametrize("name", MADE)
def test_every_class_that_people_make_has_an_example(name):
    assert ">>> " in getattr(faceattend, name).__doc__


@pytest.mark.parametrize("name", [name for name in MADE if name != "Camera"] + ["Receipt"])
def test_the_examples_give_what_they_say(name):
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner()
    for test in finder.find(getattr(faceattend, name), name, globs={"faceattend": faceattend}):
        assert runner.run(test).failed == 0


def test_the_example_of_rows_gives_what_it_says():
    rows = faceattend.RosterDays.from_rows
    test = doctest.DocTestParser().get_doctest(rows.__doc__, {"faceattend": faceattend}, "from_rows", None, None)
    assert test.examples and doctest.DocTestRunner().run(test).failed == 0


def test_the_readmes_list_of_who_is_missing_is_what_it_prints(tmp_path, monkeypatch, capsys):
    readme = (ROOT / "bindings-python" / "README.md").read_text(encoding="utf-8")
    code = readme.split("## Who is missing?")[1].split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == [
        "done []",
        "Asha Rao Present",
        "Ben Ito Absent",
        "Cem Kaya Excused",
        "1 of 3 came, 1 without an excuse: 33%",
    ]


def test_a_call_says_which_arguments_it_takes():
    for name in ("Engine", "LivenessSession", "Store", "Recognizer", "Rosters"):
        item = getattr(faceattend, name)
        for parameter in inspect.signature(item).parameters:
            assert parameter in item.__doc__, f"{name} does not explain {parameter}"
