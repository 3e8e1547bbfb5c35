"""gunicorn's workers, forked after the application was loaded."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("django")
pytest.importorskip("gunicorn")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="gunicorn needs fork")


@pytest.mark.parametrize("used_before", [False, True], ids=["preloaded", "used before the fork"])
def test_three_preloaded_workers_answer(media, tmp_path, used_before):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.site.settings", "FACEATTEND_TEST_POSTGRES": ""}
    environment.pop("FACEATTEND_TEST_PRELOAD", None)
    if used_before:
        environment["FACEATTEND_TEST_PRELOAD"] = "1"
    log = (tmp_path / "log").open("w+")
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers=3", "--threads=2", "--timeout=120"]
    server = subprocess.Popen(
        [*command, f"--bind=127.0.0.1:{port}", "tests.site.wsgi"], env=environment, stdout=log, stderr=log
    )
    picture = (media / "hopper" / "center.jpg").read_bytes()

    def ask(_):
        request = urllib.request.Request(f"http://127.0.0.1:{port}/faces/", data=picture)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read().decode()

    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and server.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        answers, workers = [], set()
        with ThreadPoolExecutor(6) as pool:
            # Until each of the three has answered: who takes a connection is the system's choice.
            while len(workers) < 3 and len(answers) < 600:
                answers += pool.map(ask, range(12))
                workers = {re.search(r'"process": (\d+)', answer).group(1) for answer in answers}
        assert all('"faces": 1,' in answer for answer in answers)
        assert len(workers) == 3 and str(server.pid) not in workers
    finally:
        server.terminate()
        server.wait(30)
        log.seek(0)
        said = log.read()
        log.close()
    assert "Traceback" not in said and "SIGSEGV" not in said, said
