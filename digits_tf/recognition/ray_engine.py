"""Reads many pictures with Ray Data: on this machine, or on all machines of a cluster."""

import collections
import functools
import json
import logging
import math
import os
import re
import signal
import socket
import threading
from collections.abc import Generator, Hashable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from digits_tf.errors import DigitsError
from digits_tf.images import import_cv2
from digits_tf.recognition.recognizer import Recognizer
from digits_tf.recognition.results import Row, read_row

# Pictures that a task reads: so much is read again if its machine dies. Fewer where they would
# not go round: each worker has several tasks, lest all wait for the one with the large pictures.
_TASK_PICTURES, _WORKER_TASKS = 100, 4
# Ray begins a task anew for ever if its worker dies: a picture too large for the memory would never
# end. The first death may be its machine's.
_MOST_ATTEMPTS = 2
_CONNECT_S = 10.0


def read_rows(names: Sequence[str], options: Mapping[str, Any]) -> Generator[Row, None, None]:
    """Reads pictures with a worker for each processor core of the cluster.

    The cluster is that of RAY_ADDRESS, or the one that was started on this machine. Without one,
    Ray is started here, and ends with the iterator. If a machine dies, others read its pictures.

    Args:
        names: absolute paths, which all machines have to see, or addresses; see `stores.read`.
        options: the arguments of `Recognizer.load`.

    Yields:
        The rows of `read_row`, one a name, in the order in which they are read.

    Raises:
        DigitsError: if Ray is missing or cannot be reached, a machine cannot load the networks or
            does not see a picture that is here.
    """
    if not names:
        return
    ray = _import_ray()
    is_ours = not ray.is_initialized()
    if is_ours:
        _connect(ray)
    try:
        for row in _rows(ray, names, dict(options)):
            yield _checked(row)
    except (ray.exceptions.RayError, ray.data.exceptions.ExecutionTimeoutError) as error:
        lines = str(error).strip().splitlines()
        # Behind the exception, Ray says more about itself.
        raised = [line for line in lines if re.match(r"[A-Z]\w*(Error|Exception)\b", line)]
        raise DigitsError(f"Ray: {(raised or lines)[-1]}") from None
    finally:
        if is_ours:
            ray.shutdown()


class Attempts:
    """Counts how often something was begun; an actor, so that it outlives the workers."""

    def __init__(self) -> None:
        self._counts: collections.Counter[Hashable] = collections.Counter()

    def begin(self, what: Hashable) -> int:
        """How often this was begun, this time included."""
        self._counts[what] += 1
        return self._counts[what]


def read_task(table: Any, options: dict[str, Any], attempts: Any) -> Any:
    """Reads the pictures of one task, on a worker.

    Args:
        table: a pyarrow table; "item" has names in UTF-8, broken letters as they are.
        options: the arguments of `Recognizer.load`.
        attempts: the actor `Attempts`.

    Returns:
        A pyarrow table; "row" has the rows of `read_row` as JSON.
    """
    import pyarrow as pa
    import ray

    def begin(*what: Hashable) -> int:
        count: int = ray.get(attempts.begin.remote(what))
        return count

    names = [_decoded(item) for item in table["item"].to_pylist()]
    # The first time, nobody counts the pictures one by one.
    killed_before = begin("task", names[0]) > 1
    rows = []
    for name in names:
        if killed_before and begin("picture", name) > _MOST_ATTEMPTS:
            rows.append({"path": name, "error": f"{name}: the programs that read it died"})
        else:
            rows.append(_read_here(name, options))
    return pa.table({"row": [json.dumps(row).encode() for row in rows]})


def _rows(ray: ModuleType, names: Sequence[str], options: dict[str, Any]) -> Iterator[Row]:
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    # It prints tracebacks of what is raised all the same.
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    cores = ray.cluster_resources().get("CPU", 1)
    tasks = max(
        math.ceil(len(names) / _TASK_PICTURES), min(len(names), math.ceil(_WORKER_TASKS * cores))
    )
    # If its machine dies, it starts anew on another one and has forgotten; that costs some turns.
    attempts = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(Attempts).remote()
    dataset = ray.data.from_items([_encoded(name) for name in names], override_num_blocks=tasks)
    dataset = dataset.map_batches(
        read_task,
        batch_size=None,
        batch_format="pyarrow",
        fn_kwargs={"options": options, "attempts": attempts},
        num_cpus=1,
    )
    for table in dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        for row in table["row"].to_pylist():
            yield json.loads(row)


def _checked(row: Row) -> Row:
    """A row, unless it says that the machine that wrote it cannot read."""
    if "fatal" in row:
        raise DigitsError(row["fatal"])
    machine = row.pop("missing_on", None)
    if machine not in (None, socket.gethostname()) and _is_here(row["path"]):
        raise DigitsError(
            f"{row['path']}: is here, but not on {machine}: put the pictures where all machines "
            "of the cluster find them under the same path, or into a store such as s3://"
        )
    return row


def _read_here(name: str, options: dict[str, Any]) -> Row:
    try:
        recognizer = _recognizer(**options)
    except DigitsError as error:
        return {"fatal": f"{socket.gethostname()} cannot load the networks: {error}"}
    row = read_row(recognizer, name)
    if "error" in row and not _is_here(name):
        row["missing_on"] = socket.gethostname()
    return row


def _is_here(name: str) -> bool:
    # Path.exists raises errors of its own.
    return os.path.exists(name)  # noqa: PTH110


@functools.cache
def _recognizer(**options: Any) -> Recognizer:
    """The one of this worker."""
    collection = options.get("collection")
    if collection and not _is_here(collection):
        # `Recognizer.load` takes it for one that is still empty.
        raise DigitsError(f"{collection}: no such folder")
    # Ray has a worker a core already.
    import_cv2().setNumThreads(1)
    return Recognizer.load(**options)


def _encoded(name: str) -> bytes:
    # Arrow's strings refuse names that are not UTF-8.
    return name.encode(errors="surrogateescape")


def _decoded(item: bytes) -> str:
    return item.decode(errors="surrogateescape")


def _import_ray() -> ModuleType:
    try:
        import ray
        import ray.data.exceptions
    except ImportError as error:
        raise DigitsError(f"Ray needs {error.name}: pip install 'digits_tf[ray]'") from None
    module: ModuleType = ray
    return module


def _connect(ray: ModuleType) -> None:
    address = os.environ.get("RAY_ADDRESS", "")
    host, _, port = address.rpartition("/")[2].rpartition(":")
    try:
        if port.isdecimal():
            # Ray would try for minutes.
            socket.create_connection((host.strip("[]"), int(port)), _CONNECT_S).close()
    except OSError as error:
        raise DigitsError(f"RAY_ADDRESS={address}: found no Ray there ({error})") from None
    on_sigterm = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise DigitsError(f"Ray: {error}") from None
    finally:
        # Ray sets its own, which ends the program before the last part is written.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, on_sigterm)
