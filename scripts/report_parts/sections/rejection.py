"""What becomes of things that are no digits, and how many digits are lost by that."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from digits_tf.recognition import Digit
from digits_tf.recognition import text as text_of
from digits_tf.recognition.classifier import THRESHOLD
from digits_tf.synthetic import scene
from report_parts import others, readings, signs, table
from report_parts.figures import auroc, standard_error
from report_parts.net import Net, by_net

TITLE = "What is no digit"
CROPS_PICTURE, FRAMES_PICTURE = "not_digits.png", "frames.png"
CHART = "rejection.png"


def crops(
    nets: Sequence[Net],
    sets: Mapping[str, np.ndarray],
    digits: Mapping[Net, np.ndarray],
) -> dict[str, Any]:
    """Reads crops without a digit.

    Args:
        nets: what is measured.
        sets: by name, uint8 (n, 28, 28).
        digits: each net's greatest probabilities of real digits, (m,), 0 to 1.
    """
    found: dict[str, Any] = {}
    for name, images in sets.items():
        scores = {net: net.read(images).max(axis=1) for net in nets}
        found[name] = {"n": len(images), "figures": by_net(nets, _against(scores, digits))}
    lost = by_net(nets, lambda net: float((digits[net] <= THRESHOLD).mean()))
    return {"sets": found, "lost": lost, "digits": len(next(iter(digits.values())))}


def frames(
    nets: Sequence[Net],
    makers: Mapping[str, others.Maker],
    count: int,
    images: np.ndarray,
    labels: np.ndarray,
) -> dict[str, Any]:
    """Reads frames without a digit, and digits on made-up photographs to compare them with.

    Args:
        nets: what is measured.
        makers: by name, see `others.frames`.
        count: frames of each set, and digits.
        images: uint8 (n, 28, 28), test digits.
        labels: integers (n,).
    """
    chosen = np.arange(count) % len(images)
    photographs = (
        scene.draw(np.random.default_rng((number, 71)), [images[index]]).frame
        for number, index in enumerate(chosen)
    )
    read = readings.read(nets, photographs)
    digits = {net: np.array([_surest(each) for each in read[net]]) for net in nets}

    def control(net: Net) -> dict[str, float]:
        texts = [text_of(each) for each in read[net]]
        right = [found == str(label) for found, label in zip(texts, labels[chosen], strict=True)]
        return {
            "right": float(np.mean(right)),
            "lost": float(np.mean([not each for each in texts])),
        }

    section: dict[str, Any] = {"n": count, "digits": by_net(nets, control), "sets": {}}
    for name, maker in makers.items():
        read = readings.read(nets, (others.make(maker, number) for number in range(count)))
        scores = {net: np.array([_surest(each) for each in read[net]]) for net in nets}
        section["sets"][name] = {"n": count, "figures": by_net(nets, _against(scores, digits))}
    return section


def photographs(nets: Sequence[Net], found: Mapping[str, readings.Readings]) -> dict[str, Any]:
    """Of real photographs of digits, the share on which nothing is labelled.

    Args:
        nets: what is measured.
        found: what the nets read of each list of photographs.
    """

    def lost(net: Net) -> dict[str, list[int]]:
        return {
            words: [sum(not text_of(each) for each in read[net]), len(read[net])]
            for words, read in found.items()
        }

    return by_net(nets, lost)


def text(section: dict[str, Any], names: dict[str, str]) -> str:
    """The section in Markdown."""
    parts = [
        f"A crop is rejected if no digit's probability is above {THRESHOLD}; a frame, if nothing "
        "on it gets a label. AUROC: how often a digit's greatest probability is above that of what "
        "is none (0.5 is chance, 1 is perfect). Cells: share rejected, AUROC. The int8 file's "
        "probabilities have 256 steps: many digits and some of the others tie at the highest, and "
        "a tie counts half.",
        "No picture here was trained on. Letters and symbols are printed, in serif fonts that are "
        f"kept from training; those like digits are {' '.join(signs.LIKE_DIGITS)}. Halves and "
        "pairs are of test digits. Empty grounds come from the generator that training uses too, "
        "with other numbers.",
        f"![Share rejected, set by set]({CHART})",
        f"### Crops\n\nAgainst {section['crops']['digits']:,} MNIST test digits "
        f"({_most_error(min(each['n'] for each in section['crops']['sets'].values()))}).",
        f"![Twelve crops of each set]({CROPS_PICTURE})",
        _sets(section["crops"]["sets"], names),
        f"### Frames\n\nRead by `Recognizer`, {section['frames']['n']} of each set, against as "
        f"many MNIST test digits on made-up photographs ({_most_error(section['frames']['n'])}).",
        f"![Frames of each set]({FRAMES_PICTURE})",
        _sets(section["frames"]["sets"], names),
        "### Digits lost\n\nReal digits that get no label: what rejection costs.",
        _lost(section, names),
    ]
    return "\n\n".join(parts)


def _against(scores: Mapping[Net, np.ndarray], digits: Mapping[Net, np.ndarray]):
    def figures(net: Net) -> dict[str, Any]:
        rejected = float((scores[net] <= THRESHOLD).mean())
        return {"rejected": rejected, "auroc": auroc(digits[net], scores[net])}

    return figures


def _surest(digits: list[Digit]) -> float:
    """The greatest probability in a frame; 0 where nothing is found."""
    return max((digit.confidence for digit in digits), default=0.0)


def _sets(sets: dict[str, Any], names: dict[str, str]) -> str:
    figures: table.Figures = {}
    for name, each in sets.items():
        for model, formats in each["figures"].items():
            for kind, values in formats.items():
                figures.setdefault(model, {}).setdefault(kind, {})[name] = values

    def row(name: str) -> table.Row:
        return (
            f"{name} ({sets[name]['n']:,})",
            lambda each: (
                f"{table.percent(each[name]['rejected'])}, {table.decimal(each[name]['auroc'], 3)}"
            ),
        )

    return table.side_by_side(figures, names, [row(name) for name in sets])


def _most_error(count: int) -> str:
    return f"standard error of a share: at most {table.percent(standard_error(0.5, count))}"


def _lost(section: dict[str, Any], names: dict[str, str]) -> str:
    crops, frames = section["crops"], section["frames"]
    real = section.get("photographs")
    figures: table.Figures = {
        model: {
            kind: {
                "crops": crops["lost"][model][kind],
                **frames["digits"][model][kind],
                **(real[model][kind] if real else {}),
            }
            for kind in formats
        }
        for model, formats in crops["lost"].items()
    }
    rows: list[table.Row] = [
        (f"MNIST test digits ({crops['digits']:,})", lambda each: table.percent(each["crops"], 2)),
        (
            f"on made-up photographs ({frames['n']})",
            lambda each: table.percent(each["lost"]),
        ),
        ("the same, read right", lambda each: table.percent(each["right"])),
    ]
    first = next(iter(next(iter(real.values())).values())) if real else {}
    rows += [_real(words) for words in first]
    return table.side_by_side(figures, names, rows)


def _real(words: str) -> table.Row:
    name = f"photographs of {words}, nothing labelled"
    return name, lambda each: "{} of {}".format(*each[words])
