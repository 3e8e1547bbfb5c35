"""What the tests share: the sample pictures, one engine, and the figures that every language must give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import faceattend

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def media() -> Path:
    return ROOT / "examples" / "media"


@pytest.fixture(scope="session")
def parity() -> dict[str, Any]:
    return json.loads((ROOT / "core" / "tests" / "fixtures" / "parity.json").read_text())


@pytest.fixture(scope="session")
def engine() -> faceattend.Engine:
    return faceattend.Engine(antispoof="off", threads=2)
