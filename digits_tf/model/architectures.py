"""Named sets of arguments for `resnet`."""

from typing import Any

ARCHITECTURES: dict[str, dict[str, Any]] = {
    # The seed's network: 2,780,554 trainable parameters, 24 million multiply-adds.
    "resnet": {},
    # The default: quick on two CPU cores, 11 million multiply-adds. A 5x5 stem without pooling
    # keeps thin strokes apart that a 7x7 stem with pooling runs together.
    "small": {
        "depths": (1, 1, 1),
        "widths": (32, 64, 128),
        "stem_kernel": 5,
        "stem_pool": False,
        "use_bias": False,
    },
    # For a Raspberry Pi: under 100,000 parameters and 3 million multiply-adds.
    "tiny": {
        "depths": (1, 1, 1),
        "widths": (16, 32, 64),
        "stem_kernel": 5,
        "stem_pool": False,
        "use_bias": False,
    },
}
