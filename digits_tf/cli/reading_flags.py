"""The flags that choose the model, the detector and the threshold."""

from typing import TYPE_CHECKING, Any

from absl import flags

from digits_tf.cli import command
from digits_tf.data.collection import Collection
from digits_tf.recognition import classifier
from digits_tf.recognition.registry import SHIPPED
from digits_tf.runtime import counted

if TYPE_CHECKING:
    from digits_tf.recognition import Recognizer

MODEL = flags.DEFINE_string(
    "model",
    None,
    "The network that reads: tiny or resnet, which are shipped; a .tflite or .keras file; a "
    "SavedModel; or a run folder. Default: tiny.",
)
DETECTOR = flags.DEFINE_string(
    "detector",
    None,
    "The network that finds digits: a detector.tflite, or a run folder of digits-tf "
    "train-detector. Default: the shipped one.",
)
THREADS = flags.DEFINE_integer(
    "threads", 1, "LiteRT's threads; one is fastest for networks this small.", lower_bound=1
)
THRESHOLD = flags.DEFINE_float(
    "threshold",
    classifier.THRESHOLD,
    "A mark gets a label if its probability is above this.",
    lower_bound=0.0,
    upper_bound=1.0,
)
COLLECTION = flags.DEFINE_string(
    "collection",
    "own",
    "The folder of your own digits, which digits-tf teach fills. Readings like those that you put "
    "right come out right. Empty: without.",
)


def options() -> dict[str, Any]:
    """The arguments of `Recognizer.load` that the flags give."""
    return {
        "path": MODEL.value,
        "threads": THREADS.value,
        "threshold": THRESHOLD.value,
        "detector": DETECTOR.value,
        "collection": COLLECTION.value,
    }


def load_recognizer() -> "Recognizer":
    """Opens what the flags name; names it on standard error if it is not what is shipped.

    Raises:
        DigitsError: see `Recognizer.load`.
    """
    from digits_tf.recognition import Recognizer

    recognizer = Recognizer.load(**options())
    named = []
    if COLLECTION.value and (count := len(Collection(COLLECTION.value).entries())):
        named.append(f"{counted(count, 'picture')} of your own in {COLLECTION.value}")
    if MODEL.value not in (None, *SHIPPED):
        named.append(f"the model {MODEL.value}")
    if DETECTOR.value is not None:
        named.append(f"the detector {DETECTOR.value}")
    if named:
        command.tell("reading with " + " and ".join(named))
    return recognizer
