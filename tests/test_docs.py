"""What the docs say to type can be typed; their links lead somewhere; the notebook fits."""

import ast
import json
import re
import shlex
import tomllib

import pytest

import digits_tf
from conftest import ROOT, run
from digits_tf.cli.main import COMMANDS

NOTEBOOK = ROOT / "docs" / "first_steps.ipynb"
CELLS = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
CODE = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / name / "README.md" for name in ("saved_models", "samples")),
]
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PAGES}
BLOCKS = [block for text in TEXTS.values() for block in re.findall(r"```sh\n(.*?)```", text, re.S)]
TYPED = [line.strip() for block in BLOCKS for line in block.splitlines()]
TYPED += [line[1:] for cell in CODE for line in cell.splitlines() if line.startswith("!")]
WORDS = [shlex.split(line.replace("\\", "/"), comments=True) for line in TYPED]


def called(words):
    """The command that a line calls, and what stands behind it."""
    if words[:1] == ["digits-tf"] and words[1:]:
        return words[1], words[2:]
    for place, word in enumerate(words):
        if word.startswith("digits_tf.") and words[place - 1] == "-m":
            return word.removeprefix("digits_tf."), words[place + 1 :]
    return None, []


CALLS = [(command, words) for command, words in map(called, WORDS) if command]


@pytest.mark.parametrize("command", sorted({command for command, _ in CALLS}))
def test_every_flag_is_one_of_the_command(command):
    pytest.importorskip("tensorflow")
    known = run("digits_tf", command, "--help").stdout
    assert "Flags:" in known
    for name, words in CALLS:
        for word in words if name == command else ():
            if flag := re.match(r"--(\w+)", word):
                assert re.search(rf"--(\[no\])?{flag[1]}\b", known), f"{command} --{flag[1]}"


def test_commands_are_found():
    called = {command for command, _ in CALLS}
    assert {"camera", "predict", "train"} <= called <= set(COMMANDS)


def test_every_sample_that_is_named_is_there():
    named = set(re.findall(r"samples/\w+\.\w+", "\n".join([*TEXTS.values(), *CODE])))
    assert {"samples/seven.jpg", "samples/row.jpg", "samples/board.mp4"} <= named
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("page", TEXTS)
def test_every_link_leads_somewhere(page):
    links = re.findall(r"\]\(([^)\s]+)\)|^\[\w+\]: (\S+)", TEXTS[page], re.MULTILINE)
    local = "https://github.com/digits-tf/digits_tf/blob/main/"
    for link in filter(None, (one or other for one, other in links)):
        if link.startswith(local):
            start, link = ROOT, link.removeprefix(local)
        elif re.match(r"https?:", link):
            continue
        else:
            start = (ROOT / page).parent
        name, _, anchor = link.partition("#")
        target = (start / name if name else ROOT / page).resolve()
        assert target.exists(), link
        # The site has nothing beside docs/.
        assert not page.startswith("docs/") or start == ROOT or ROOT / "docs" in target.parents, (
            link
        )
        if anchor:
            titles = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in anchors, link


def test_the_notebook_fits_the_api():
    python = ["\n".join(line for line in c.splitlines() if line[:1] not in "!%") for c in CODE]
    trees = [ast.parse(cell) for cell in python]
    imported = {
        name.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "digits_tf"
        for name in node.names
    }
    assert {"Recognizer", "text"} <= imported <= set(digits_tf.__all__)


def test_the_notebook_was_run_from_its_first_cell_to_its_last():
    cells = [cell for cell in CELLS if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert not any(output["output_type"] == "error" for output in outputs)
    assert any("4079 386" in "".join(output.get("text", "")) for output in outputs)
    assert NOTEBOOK.stat().st_size < 150_000


def test_the_readme_is_short():
    assert len(TEXTS["README.md"].splitlines()) <= 130


def test_the_version_is_cited():
    cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {digits_tf.__version__}\n" in cited
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]
    assert f"repository-code: {urls['Homepage']}\n" in cited
