"""The end of a run: the best model reads the test set, once."""

import datetime

import numpy as np

from digits_tf import files, plots
from digits_tf.data.digits import Digits
from digits_tf.evaluation.score import score
from digits_tf.recognition import load
from digits_tf.training.callbacks import clock, say
from digits_tf.training.run import Run

_BATCH = 500


def write(run: Run, test: Digits) -> None:
    """Writes result.json, confusion.png and mistakes.png, unless the run has them already as it is.

    Raises:
        DigitsError: if the best model cannot be read.
    """
    latest = run.latest()
    if latest is None:
        return
    seconds = float(np.sum([row["seconds"] for row in latest.history]))
    if run.result_file.exists():
        result = run.result()
        # Otherwise a time limit had ended it, and it has gone on since.
        if result["train_seconds"] == seconds:
            say(f"this run is finished: {result['accuracy']:.2%} on {result['n']:,} test digits")
            return
    best = run.best_row(latest.history)
    model = load(run.best_file)
    say(f"reading the test set with the model of epoch {best['epoch']}")
    found = score(model.probabilities, test.batches(_BATCH))
    plots.draw(found, run.folder / "confusion.png", run.folder / "mistakes.png")
    files.write_json(
        run.result_file,
        {
            "best_epoch": best["epoch"],
            "held_out_accuracy": best["held_out_accuracy"],
            "train_seconds": seconds,
            "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            **found.as_dict(),
        },
    )
    say(
        f"test accuracy: {found.accuracy:.2%} ({found.mistakes} of {found.count:,} misread) "
        f"after {clock(seconds)} of training. All is in {run.folder}; next: "
        f"python -m digits_tf.export {run.folder}"
    )
