"""The flags that say which model reads, and when it is believed."""

import sys

from absl import flags

from digits_tf.recognition import classifier
from digits_tf.recognition.registry import SHIPPED

MODEL = flags.DEFINE_string(
    "model",
    None,
    "tiny or resnet, which are shipped; or a .tflite or .keras file, a SavedModel or a run folder; "
    "default: tiny.",
)
DETECTOR = flags.DEFINE_string(
    "detector",
    None,
    "A detector.tflite, or a run folder of digits-tf train-detector; default: the shipped one.",
)
THREADS = flags.DEFINE_integer(
    "threads", 1, "For LiteRT; one is the quickest for nets this small.", lower_bound=1
)
THRESHOLD = flags.DEFINE_float(
    "threshold",
    classifier.THRESHOLD,
    "A digit counts if its probability is above this.",
    lower_bound=0.0,
    upper_bound=1.0,
)


def say_which() -> None:
    """Says on standard error what reads, if it is not what is shipped."""
    named = []
    if MODEL.value not in (None, *SHIPPED):
        named.append(f"the model {MODEL.value}")
    if DETECTOR.value is not None:
        named.append(f"the detector {DETECTOR.value}")
    if named:
        print("reading with " + " and ".join(named), file=sys.stderr, flush=True)
