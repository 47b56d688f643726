"""docs/raspberry-pi.md: its commands can be typed, and its messages are those of the program."""

import configparser
import re
import subprocess

import pytest

from conftest import ROOT, run

GUIDE = (ROOT / "docs" / "raspberry-pi.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
COMMANDS = re.findall(r"^python -m (digits_tf\.\w+)(.*)$", "\n".join(BLOCKS), re.MULTILINE)


@pytest.mark.parametrize("block", BLOCKS)
def test_what_is_to_be_typed_is_shell(block):
    subprocess.run(["bash", "-n", "-c", block], check=True)


@pytest.mark.parametrize("module", sorted({module for module, _ in COMMANDS}))
def test_every_flag_is_one_of_the_program(module):
    known = run(module, "--help").stdout
    flags = {
        flag for name, words in COMMANDS if name == module for flag in re.findall("--(\\w+)", words)
    }
    assert flags
    for flag in flags:
        assert re.search(rf"--(\[no\])?{flag}\b", known), flag


def test_what_is_to_be_copied_is_there_and_fits_the_unit():
    (path,) = re.findall(r"cp (\S+) /etc/systemd/system/", GUIDE)
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string((ROOT / path).read_text())
    service = unit["Service"]
    assert f"useradd --system --shell /usr/sbin/nologin {service['User']}" in GUIDE
    (variable, file) = re.findall(r"echo '(\w+)=.*tee (\S+)", GUIDE)[0]
    assert service["EnvironmentFile"] == f"-{file}"
    assert f"${variable}" in service["ExecStart"]
    (folder,) = re.findall(r"git clone ADDRESS (\S+)", GUIDE)
    assert service["ExecStart"].startswith(f"{folder}/.venv/bin/python ")
    assert f"/var/lib/{service['StateDirectory']}" in GUIDE
    for name, said in (("RestartSec", "anew {} s"), ("WatchdogSec", "has come for {} s")):
        assert said.format(service[name].removesuffix("s")) in " ".join(GUIDE.split())


def test_every_message_in_the_table_is_one_that_the_program_tells():
    code = "".join(path.read_text() for path in (ROOT / "digits_tf").rglob("*.py"))
    # Strings that are written in parts.
    told = re.sub(r'"\s+f?"', "", code)
    rows = re.findall(r"^\| `([^`]+)`[^|]*\|", GUIDE[GUIDE.index("| it says") :], re.MULTILINE)
    assert len(rows) >= 9
    for row in rows:
        start = row.partition(":")[0]
        assert start in told, row
