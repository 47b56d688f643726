"""Reads pictures on a Ray cluster of two nodes, breaks it, and counts; times one worker and two.

python scripts/ray_cluster.py
python scripts/ray_cluster.py --pictures 4000 --repeats 10

Both nodes are on this machine, with a worker each. The pictures are frames of 1080p with twelve
digits, drawn by the program. First one node is killed on the way; then the program that asked, and
started again. Each picture has to have one row. Then one worker and two read in turn. Prints a JSON
object. Needs the extra "ray", and Linux or macOS.
"""

import collections
import contextlib
import itertools
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from absl import flags

# A clone need not be installed.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from digits_tf.cli import command
from digits_tf.images import import_cv2

_ROOT = Path(__file__).resolve().parent.parent
_PICTURES = flags.DEFINE_integer("pictures", 2000, "Pictures to read.", lower_bound=1100)
_REPEATS = flags.DEFINE_integer("repeats", 5, "Timings with one worker and two.", lower_bound=2)
_DRAWN = 50  # different frames; the others are links to them


def main(words: Sequence[str]) -> int:
    """Prints what was counted and timed; returns 1 if a picture is missing or there twice."""
    import_cv2()
    from digits_tf import benchmark

    # Sockets lie in it: their names have to be short.
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:
        names = _draw(Path(folder, "pictures"))
        # Set before Ray is imported.
        os.environ.update(_environment(folder))
        # Ray prints its news on standard output.
        with contextlib.redirect_stdout(sys.stderr), _cluster() as cluster:
            result: dict[str, Any] = {
                "pictures": len(names),
                "node_killed": _kill_node(cluster, names),
                "program_killed": _kill_program(cluster, names, Path(folder, "results")),
                "pictures_per_second": _time(cluster, names),
            }
    import ray

    conditions = benchmark.conditions()
    conditions["versions"]["ray"] = ray.__version__
    result |= {"load_average": os.getloadavg(), "conditions": conditions}
    print(json.dumps(result, indent=2))
    counts = (result["node_killed"], result["program_killed"])
    return command.EXIT_FAILED if any(each["lost"] or each["twice"] for each in counts) else 0


def _draw(folder: Path) -> list[str]:
    from digits_tf import benchmark
    from digits_tf.images import write_picture

    frames = benchmark.board_frames(benchmark.SIZES["1080p"], 12)
    drawn = [folder / f"{number:06}.jpg" for number in range(_PICTURES.value)]
    for path, frame in zip(drawn[:_DRAWN], frames, strict=False):
        write_picture(path, frame.pixels)
    for number, path in enumerate(drawn[_DRAWN:]):
        path.hardlink_to(drawn[number % _DRAWN])
    return [str(path) for path in drawn]


def _environment(folder: str) -> dict[str, str]:
    """What makes Ray write into this folder alone, and answer nobody else."""
    # The cluster writes its address into it.
    Path(folder, "ray").mkdir()
    # Without a token of ours, Ray takes or makes one in ~/.ray.
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex()}
    return {"RAY_TMPDIR": folder, **token}


@contextlib.contextmanager
def _cluster() -> Iterator[Any]:
    """Two nodes of a worker each; this program is connected to the first."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    try:
        cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def _kill_node(cluster: Any, names: Sequence[str]) -> dict[str, int]:
    from digits_tf.recognition import ray_engine

    read: collections.Counter[str] = collections.Counter()
    for row in ray_engine.read_rows(names, {}):
        read[row["path"]] += 1
        if read.total() == len(names) // 3:
            (node,) = cluster.worker_nodes
            cluster.remove_node(node, allow_graceful=False)
    return _counted(names, read)


def _kill_program(cluster: Any, names: Sequence[str], folder: Path) -> dict[str, int]:
    words = [str(Path(names[0]).parent), f"--out={folder}", "--engine=ray"]
    program = [sys.executable, "-m", "digits_tf.predict", *words]
    environment = {**os.environ, "RAY_ADDRESS": cluster.address, "PYTHONPATH": str(_ROOT)}
    cluster.add_node(num_cpus=1)
    with subprocess.Popen(program, env=environment) as process:
        while process.poll() is None and not any(folder.glob("part-*")):
            time.sleep(0.1)
        process.kill()
    kept = _rows(folder)
    subprocess.run(program, env=environment, check=True)
    return {"kept": kept.total(), **_counted(names, _rows(folder))}


def _rows(folder: Path) -> "collections.Counter[str]":
    lines = (line for part in folder.glob("part-*") for line in part.read_text().splitlines())
    return collections.Counter(json.loads(line)["path"] for line in lines)


def _counted(names: Sequence[str], read: "collections.Counter[str]") -> dict[str, int]:
    return {
        "rows": read.total(),
        "lost": len(set(names) - set(read)),
        "twice": sum(count > 1 for count in read.values()),
    }


def _time(cluster: Any, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Pictures per second by the number of workers, from the first row to the last one."""
    found: dict[int, list[float]] = {1: [], 2: []}
    for _, workers in itertools.product(range(_REPEATS.value), found):
        while len(cluster.worker_nodes) >= workers:
            cluster.remove_node(next(iter(cluster.worker_nodes)))
        if len(cluster.worker_nodes) < workers - 1:
            cluster.add_node(num_cpus=1)
        found[workers].append(_rate(names))
    return {
        str(workers): {
            "mean": statistics.mean(rates),
            "deviation": statistics.stdev(rates),
            "all": rates,
        }
        for workers, rates in found.items()
    }


def _rate(names: Sequence[str]) -> float:
    from digits_tf.recognition import ray_engine

    times = [time.perf_counter() for _ in ray_engine.read_rows(names, {})]
    # A task's rows come at once: those of the first one took their time before.
    later = [each for each in times if each > times[0] + 0.5]
    return len(later) / (times[-1] - times[0])


if __name__ == "__main__":
    command.run(main, __doc__)
