"""The scripts that put many viewers on the live view, and that take pictures of the page."""

import json
import subprocess
import sys

import pytest

from conftest import ROOT

pytest.importorskip("uvicorn", reason="needs digits_tf[web]")

SCRIPTS = ROOT / "scripts"


@pytest.mark.skipif(sys.platform == "win32", reason="needs ps")
def test_all_viewers_get_frames_beside_slow_ones():
    words = ["--viewers=3", "--slow=2", "--minutes=0.05", "--readers=2", "--misbehaving=7"]
    command = [sys.executable, SCRIPTS / "load_web.py", *words]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["viewers"], found["starved"]) == (3, 0)
    for name in ("readings", "pictures"):
        fps, missed = found[name]["fps"], found[name]["missed"]
        assert min(fps) > 1 and max(fps) < 40
        # At most 30 frames a second of 3 s.
        assert found["frames"] <= 100 and max(missed) < found["frames"] / 2
    # One of those that misbehave takes nothing.
    assert found["streams_at_the_end"] == 9
    assert found["answers"]["4079 386"] > 0
    assert found["misbehaving_ended"]["breaks off"] > 0 and not found["misbehaving_left"]
    assert 20 < found["memory_mb"]["start"] < 1000
    assert found["cores_of_the_server"] < 3


_STARVED = """
import json, load_web
full = list(range(100, 200))
viewers = [load_web.Viewer(full, full), load_web.Viewer(full, full[::4])]
nobody = load_web.summary([load_web.Viewer()], 10.0)
print(json.dumps([load_web.summary(viewers, 10.0), nobody]))
"""


def test_a_viewer_that_gets_little_has_starved():
    # In a process of its own: its flags are no others'.
    command = [sys.executable, "-c", _STARVED]
    result = subprocess.run(command, cwd=SCRIPTS, capture_output=True, text=True, check=True)
    found, nobody = json.loads(result.stdout)
    assert (found["frames"], found["starved"]) == (100, 1)
    assert found["readings"] == {"fps": [10, 10, 10], "missed": [0, 0, 0]}
    assert found["pictures"] == {"fps": [2.5, 6.25, 10], "missed": [0, 36, 72]}
    assert nobody["starved"] == 1
