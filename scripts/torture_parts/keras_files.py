"""Makes .keras files that nobody should open."""

import base64
import copy
import io
import json
import marshal
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from digits_tf import runtime

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"

Config = dict[str, Any]


def whole(path: Path) -> bytes:
    """A .keras file of a small network of digits; its first layer is a Flatten, then two Dense."""
    runtime.import_tensorflow()
    import keras

    image = keras.Input((28, 28, 1))
    hidden = keras.layers.Dense(6, activation="relu")(keras.layers.Flatten()(image))
    network = keras.Model(image, keras.layers.Dense(10)(hidden))
    network.save(path)
    content = path.read_bytes()
    path.unlink()
    return content


def hostile(content: bytes, witness: Path) -> dict[str, bytes]:
    """Files that would run code, write or read other files, or fill the memory.

    Args:
        content: of a file of `whole`.
        witness: a file that code out of them would make.

    Returns:
        The files by what is wrong with them.
    """
    members = _members(content)
    config = json.loads(members[_CONFIG])
    made = {
        name: _zipped({**members, _CONFIG: json.dumps(changed).encode()})
        for name, changed in _hostile_configs(config, witness)
    }
    deep = b'{"class_name": "Sequential", "config": ' + b"[" * 200_000
    made["a config of brackets"] = _zipped({**members, _CONFIG: deep})
    spaces = b" " * (100 << 20)
    made["a zip bomb"] = _zipped({**members, _CONFIG: spaces}, zipfile.ZIP_DEFLATED)
    made["a bomb in its weights"] = _zipped({**members, _WEIGHTS: _bomb()})
    for name in ("../witness", "assets/../../witness", str(witness), "assets/words.txt"):
        made[f"a member {Path(name).name} out of {Path(name).parent.name}"] = _zipped(
            {**members, name: b"x"}
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the double name
        twice = io.BytesIO(content)
        with zipfile.ZipFile(twice, "a") as archive:
            archive.writestr(_CONFIG, members[_CONFIG])
    made["two configs"] = twice.getvalue()
    made["no weights"] = _zipped({_CONFIG: members[_CONFIG]})
    return made


def with_odd_values(rng: np.random.Generator, content: bytes) -> bytes:
    """Puts odd values into a file's config, as JSON that is whole."""
    members = _members(content)
    config = json.loads(members[_CONFIG])
    for _ in range(int(rng.integers(1, 3))):
        holders = [each for each in _holders(config) if each]
        holder = holders[int(rng.integers(len(holders)))]
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        holder[keys[int(rng.integers(len(keys)))]] = odd_value(rng)
    return _zipped({**members, _CONFIG: json.dumps(config).encode()})


def odd_value(rng: np.random.Generator) -> Any:
    """Something that JSON can say and nobody expects."""
    values: tuple[Any, ...] = (
        *(None, True, 0, -1, 1e308, 10**15, 27, "", "x", "../../x", "/dev/zero", [], {}, [[[1]]]),
        *({"name": "logits"}, {"name": ["logits"]}, {"class_name": "Lambda"}, "a" * 1000),
    )
    return copy.deepcopy(values[int(rng.integers(len(values)))])


def _hostile_configs(config: Config, witness: Path) -> Iterator[tuple[str, Config]]:
    code = compile(f"open({str(witness)!r}, 'w')", "x", "exec")
    packed = base64.b64encode(marshal.dumps(code)).decode()
    function = {"code": packed, "defaults": None, "closure": None}
    lambda_ = {"class_name": "__lambda__", "config": function}
    pickled = base64.b64encode(f"cos\nsystem\n(S'touch {witness}'\ntR.".encode()).decode()
    layers: tuple[tuple[str, str | None, str, Config], ...] = (
        ("a Lambda", "keras.layers", "Lambda", {"function": lambda_, "arguments": {}}),
        ("an old Lambda", "keras.layers", "Lambda", {"function": [packed, None, None]}),
        ("a SavedModel inside", "keras.layers", "TFSMLayer", {"filepath": "/tmp/x"}),  # noqa: S108
        ("a pickle", "keras.layers", "TorchModuleWrapper", {"module": pickled}),
        ("a list of words", "keras.layers", "StringLookup", {"vocabulary": "/etc/passwd"}),
        ("a program", "os", "system", {"command": f"touch {witness}"}),
        ("a layer of somebody's", None, "Mine", {}),
        ("a layer of a module", "this", "Mine", {}),
        ("a log file", "keras.callbacks", "CSVLogger", {"filename": str(witness)}),
        ("a downloaded file", "keras.utils", "get_file", {"fname": str(witness)}),
    )
    for name, module, kind, options in layers:
        changed = copy.deepcopy(config)
        layer = {"name": "flatten", "trainable": True, "dtype": "float32"}
        changed["config"]["layers"][1] |= {
            "module": module,
            "class_name": kind,
            "config": {**layer, **options},
            "registered_name": None if module else "Mine>Mine",
        }
        yield name, changed
    functions = (
        *(("keras.config", "enable_unsafe_deserialization"), ("keras.utils", "get_file")),
        *(("keras.utils", "plot_model"), ("keras.datasets.mnist", "load_data")),
        *(("keras.saving", "load_model"), ("builtins", "eval"), ("os", "system")),
        ("keras.src.saving.serialization_lib", "enable_unsafe_deserialization"),
    )
    for module, kind in functions:
        changed = copy.deepcopy(config)
        changed["config"]["layers"][2]["config"]["activation"] = {
            "module": module,
            "class_name": "function",
            "config": kind,
            "registered_name": kind,
        }
        yield f"the function {module}.{kind}", changed
    changed = copy.deepcopy(config)
    changed["config"]["layers"][2]["config"]["activation"] = lambda_
    yield "a lambda for an activation", changed
    text = json.dumps(config).replace('"units": 6', '"units": 1000000000')
    yield "a million million weights", json.loads(text.replace("[null, 6]", "[null, 1000000000]"))


def _bomb() -> bytes:
    """Weights that would fill 3 GiB, of a few kilobytes."""
    import h5py

    file = io.BytesIO()
    with h5py.File(file, "w") as weights:
        group = weights.create_group("layers/dense/vars")
        group.create_dataset("0", (3 << 28,), "float32", chunks=True, compression="gzip")
    return file.getvalue()


def _members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def _holders(value: Any) -> Iterator[Any]:
    """All dictionaries and lists in a value, and itself."""
    if isinstance(value, dict | list):
        yield value
        for each in list(value.values() if isinstance(value, dict) else value):
            yield from _holders(each)
