"""The flags that say which model reads, and when it is believed."""

from absl import flags

from digits_tf.classifier import classifier

MODEL = flags.DEFINE_string(
    "model",
    None,
    "tiny or resnet, a .tflite or .keras file, a SavedModel or a run folder; default: one's own "
    "tflite/digits_mixed.tflite (or _int8) if there is one, else tiny.",
)
DETECTOR = flags.DEFINE_string(
    "detector",
    None,
    "A detector.tflite, or a run folder of python -m digits_tf.detection.train; default: the "
    "shipped one.",
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
