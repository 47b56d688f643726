"""Where to train, and in what precision."""

import dataclasses
from typing import Any

import keras
import tensorflow as tf

from digits_tf import runtime

_POLICIES = {"float32", "mixed_float16", "mixed_bfloat16"}
_TENSOR_CORES = (7, 0)  # compute capability of the first GPUs with them (Volta)


@dataclasses.dataclass(frozen=True)
class Device:
    """Where and how a network is trained.

    Attributes:
        description: the device in words.
        policy: Keras' dtype policy: float32, mixed_float16 or mixed_bfloat16.
        strategy: how batches are spread over several devices, or None for one.
        jit_compile: whether to compile with XLA.
    """

    description: str
    policy: str
    strategy: tf.distribute.Strategy | None
    jit_compile: bool

    def __str__(self) -> str:
        """One line, as it is printed at the start of a run."""
        strategy = type(self.strategy).__name__ if self.strategy else "one device"
        xla = "XLA" if self.jit_compile else "no XLA"
        return f"{self.description}, {self.policy}, {strategy}, {xla}"


def choose(precision: str = "auto") -> Device:
    """Chooses device, dtype policy and strategy, and sets Keras' global policy.

    Args:
        precision: float32, mixed_float16, mixed_bfloat16, or auto: mixed_float16 on GPUs with
            tensor cores, mixed_bfloat16 on a TPU, float32 on everything else (16 bits were no
            faster on a CPU).

    Raises:
        ValueError: if there is no such precision.
    """
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        # By default TensorFlow takes all memory, and other programs on the GPU get none. A GPU that
        # is in use refuses the change.
        if tf.config.experimental.get_memory_growth(gpu) is not True:
            tf.config.experimental.set_memory_growth(gpu, True)
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    policy = precision
    if precision == "auto":
        policy = _native_policy(details, bool(tf.config.list_physical_devices("TPU")))
    if policy not in _POLICIES:
        raise ValueError(f"Expected one of {sorted(_POLICIES)}. Received: precision={precision!r}")
    keras.config.set_dtype_policy(policy)
    strategy = tf.distribute.MirroredStrategy() if len(gpus) > 1 else None
    if gpus:
        name = details[0].get("device_name", "GPU")
        description = f"{len(gpus)} x {name}" if len(gpus) > 1 else name
    else:
        threads = tf.config.threading.get_intra_op_parallelism_threads() or runtime.cores()
        description = f"CPU with {threads} cores"
    # XLA made training 4 times slower on a CPU.
    return Device(description, policy, strategy, jit_compile=bool(gpus))


def _native_policy(gpu_details: list[dict[str, Any]], has_tpu: bool) -> str:
    if has_tpu:
        return "mixed_bfloat16"
    capabilities = [details.get("compute_capability", (0, 0)) for details in gpu_details]
    if capabilities and min(capabilities) >= _TENSOR_CORES:
        return "mixed_float16"
    return "float32"
