"""A progress bar for anything that takes longer than a blink."""

import sys
from typing import Any


def bar(total: int | None, description: str, unit: str = "it", **options: Any) -> Any:
    """A tqdm bar on standard error; silent where that is no terminal.

    Args:
        total: how many units there will be; None: unknown.
        description: the words before the bar.
        unit: what is counted; "B" is shown in kB and MB.
        **options: passed on to tqdm.
    """
    # Every install has it: LiteRT depends on tqdm. Imported late, as the camera path needs none.
    from tqdm import tqdm

    options.setdefault("disable", not sys.stderr.isatty())
    options.setdefault("dynamic_ncols", True)
    return tqdm(
        total=total,
        desc=description,
        unit=unit,
        unit_scale=unit == "B",
        file=sys.stderr,
        **options,
    )
