"""Every public item says what it is and does; every class that people make shows how."""

import doctest
import inspect

import pytest

import faceattend
from faceattend import aio, errors, models, types

MODULES = [faceattend, aio, errors, models, types]
# What people make themselves; the other classes are answers.
MADE = [
    "AttendanceBook", "AttendancePolicy", "Camera", "Embedding", "Engine", "Gallery", "LivenessSession", "ReceiptKey",
    "Recognizer", "Store",
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


def test_a_call_says_which_arguments_it_takes():
    for name in ("Engine", "LivenessSession", "Store", "Recognizer"):
        item = getattr(faceattend, name)
        for parameter in inspect.signature(item).parameters:
            assert parameter in item.__doc__, f"{name} does not explain {parameter}"
