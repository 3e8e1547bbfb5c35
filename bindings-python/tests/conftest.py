"""What the tests share: the sample pictures, one engine, and the figures that every language must give."""

from __future__ import annotations

import json
import os
import socket
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import faceattend

ROOT = Path(__file__).resolve().parents[2]
# What has arrived of a file of the pack `minifasnet`.
PART = "minifasnet/2.7_80x80_MiniFASNetV2.onnx.part"


@pytest.fixture(scope="session")
def media() -> Path:
    return ROOT / "examples" / "media"


@pytest.fixture(scope="session")
def parity() -> dict[str, Any]:
    return json.loads((ROOT / "core" / "tests" / "fixtures" / "parity.json").read_text())


@pytest.fixture(scope="session")
def engine() -> faceattend.Engine:
    return faceattend.Engine(antispoof="off", threads=2)


@pytest.fixture
def silent(monkeypatch):
    """A proxy that takes every connection and says nothing."""
    listener = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listener.getsockname()[1]}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with listener:
        yield listener


@pytest.fixture
def begun(tmp_path):
    """A folder in which an earlier pull has left a thousand bytes."""
    part = tmp_path / PART
    part.parent.mkdir()
    part.write_bytes(bytes(1000))
    return tmp_path


@pytest.fixture
def postgres():
    """The URL of a fresh PostgreSQL database, on the server that FACEATTEND_TEST_POSTGRES names."""
    named = os.environ.get("FACEATTEND_TEST_POSTGRES", "")
    if not named:
        pytest.skip("FACEATTEND_TEST_POSTGRES names no server")
    psycopg = pytest.importorskip("psycopg")
    name = f"faceattend_{uuid.uuid4().hex}"
    with psycopg.connect(named, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        info = server.info
        login = f"{quote(info.user)}:{quote(info.password)}@" if info.password else f"{quote(info.user)}@"
        yield f"postgres://{login}{quote(info.host, safe='')}:{info.port}/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
