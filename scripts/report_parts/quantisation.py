"""Why the shipped form was chosen: scripts/quantisation.py's forms side by side."""

from typing import Any

from report_parts import table

# By their kinds, in the tables' order.
FORMS = {
    "float32": "float32",
    "float16": "float16: weights of 16 bits",
    "dynamic": "dynamic: weights of 8 bits, activations as they come",
    "int16": "int16: activations of 16 bits, weights of 8",
    "int8": "int8: 8 bits throughout, a scale a filter",
    "int8_per_tensor": "int8, a scale a layer",
    "mixed": "mixed: 8 bits but for the network's end",
}
# What "equal accuracy" allows: shares of the digits that float32 reads and the form does not.
_LOST, _CORRUPTED_LOST = 0.0005, 0.005


def fastest(forms: dict[str, Any]) -> str:
    """Of the forms that read as much as float32 the one that reads a digit fastest, with XNNPACK.

    Args:
        forms: "forms" of the results, see `text`.
    """
    original = forms["float32"]
    equal = [
        kind
        for kind, each in forms.items()
        if original["accuracy"] - each["accuracy"] <= _LOST
        and original["corrupted"] - each["corrupted"] <= _CORRUPTED_LOST
    ]
    return min(equal, key=lambda kind: forms[kind]["ms"]["xnnpack"]["1"]["median_ms"])


def text(results: dict[str, Any]) -> str:
    """The section in Markdown.

    Args:
        results: what scripts/quantisation.py has written.
    """
    forms = {kind: results["forms"][kind] for kind in FORMS}
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    load = results["load"]
    load = "" if load is None else f" The machine's load was {load:.1f} when it began."
    chosen = fastest(forms)
    return "\n\n".join(
        [
            "## Why 8 bits",
            f"`{results['run']}` in {len(forms)} forms. Nothing here was measured on test digits, "
            f"since it is what the form is chosen by: accuracy, ECE, and what differs from float32 "
            f"are those on {results['digits']:,} held-out training digits; corrupted are "
            f"{results['corrupted_digits']:,} pictures, held-out digits in the 24 ways of the "
            f"report below; no digit are {results['others']:,} made-up pictures of a seed that "
            'training does not use. "Labelled" is the share of the corrupted that get their own '
            "label, which takes a probability above 0.5.",
            _reading(forms),
            f"Milliseconds a digit, median (95th percentile) of {results['rounds']:,} calls with "
            "one digit or twelve, in one thread; all forms in turn, in another order each time.",
            _speed(forms),
            "Full integers lose corrupted digits and AUROC in their last step alone: an 8-bit "
            'softmax knows 256 probabilities. Where "no digit" takes nearly all, the ten digits '
            "are all 0 and which is likeliest cannot be told; labels are the same. `mixed` has "
            "convolutions of 8 bits, and the pooling behind them, the last layer and the softmax "
            "in floats.",
            f"Fastest of those that read as much as float32 (at most {100 * _LOST:.2f} points less "
            f"of the held-out, {100 * _CORRUPTED_LOST:.1f} of the corrupted): **{chosen}**.",
            "What the ranges of 8-bit activations are taken from (the export: the first line):",
            _ranges(results["ranges"]),
            f"On {results['machine']}; {versions}; {results['date']}.{load} Made by "
            f"`{results['command']}`.",
        ]
    )


def _reading(forms: dict[str, Any]) -> str:
    head = [
        "form",
        "size",
        "held out",
        "ECE",
        "reads as float32",
        "greatest difference",
        "corrupted",
        "labelled",
        "no digit: rejected, AUROC",
    ]
    rows = [
        [
            FORMS[kind],
            f"{each['bytes'] / 1e6:.3f} MB",
            table.percent(each["accuracy"], 2),
            table.decimal(each["ece"]),
            table.percent(each["agreement"], 2),
            table.decimal(each["difference"], 3),
            table.percent(each["corrupted"], 2),
            table.percent(each["corrupted_labelled"], 2),
            f"{table.percent(each['rejected'])}, {table.decimal(each['auroc'])}",
        ]
        for kind, each in forms.items()
    ]
    return table.table(head, rows)


def _speed(forms: dict[str, Any]) -> str:
    head = ["form", "XNNPACK, 1", "XNNPACK, 12", "without, 1", "without, 12"]
    rows = []
    for kind, each in forms.items():
        times = [each["ms"][way][batch] for way in ("xnnpack", "builtin") for batch in ("1", "12")]
        rows.append([kind, *(f"{time['median_ms']:.3f} ({time['p95_ms']:.3f})" for time in times)])
    return table.table(head, rows)


def _ranges(sets: dict[str, Any]) -> str:
    kinds = list(next(iter(sets.values())))
    rows = [
        [words, *(cell for kind in kinds for cell in _few(each[kind]))]
        for words, each in sets.items()
    ]
    columns = ("held out", "ECE", "corrupted", "rejected")
    return table.table(["ranges", *(f"{kind}: {each}" for kind in kinds for each in columns)], rows)


def _few(each: dict[str, Any]) -> list[str]:
    return [
        table.percent(each["accuracy"], 2),
        table.decimal(each["ece"]),
        table.percent(each["corrupted"], 2),
        table.percent(each["rejected"]),
    ]
