import subprocess
import sys

import numpy as np
import pytest

from conftest import ROOT
from digits_tf.errors import DigitsError

keras = pytest.importorskip("keras")
sys.path.append(str(ROOT / "scripts"))
import torch_weights  # noqa: E402

SCRIPT = ROOT / "scripts" / "import_torch.py"


def random_state(depths=(2, 2, 2), widths=(64, 128, 256), kernel=7, bias=True):
    """Random arrays with the names and shapes of the tutorial's state dict, for pixels 0..255."""
    rng = np.random.default_rng(1)
    state = {}

    def conv(name, width_in, width, kernel, bias=bias, scale=1.0):
        deviation = scale * np.sqrt(2 / (width_in * kernel**2))
        state[f"{name}.weight"] = rng.normal(0, deviation, (width, width_in, kernel, kernel))
        if bias:
            state[f"{name}.bias"] = rng.normal(0, 0.1, width)

    def norm(name, width):
        state[f"{name}.weight"] = rng.uniform(0.5, 1, width)
        state[f"{name}.bias"] = rng.normal(0, 0.2, width)
        state[f"{name}.running_mean"] = rng.normal(0, 0.2, width)
        state[f"{name}.running_var"] = rng.uniform(0.5, 2, width)
        state[f"{name}.num_batches_tracked"] = np.array(7)

    conv("0", 1, widths[0], kernel, scale=1 / 128)
    norm("1", widths[0])
    width_in = widths[0]
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True)):
        for block in range(depth):
            name = f"resnet_block{stage + 1}.{block}"
            conv(f"{name}.conv1", width_in, width, 3)
            norm(f"{name}.bn1", width)
            conv(f"{name}.conv2", width, width, 3)
            norm(f"{name}.bn2", width)
            if stage and not block:
                conv(f"{name}.conv3", width_in, width, 1, bias=True)
            width_in = width
    state["fc.1.weight"] = rng.normal(0, 0.5, (10, width_in))
    state["fc.1.bias"] = rng.normal(0, 1, 10)
    return {
        name: array if array.dtype.kind == "i" else array.astype(np.float32)
        for name, array in state.items()
    }


class Reference:
    """The tutorial's forward pass, written from PyTorch's definitions in float64, (n, c, y, x)."""

    def __init__(self, state):
        self.state = {name: array.astype(np.float64) for name, array in state.items()}

    def __call__(self, x):
        x = np.maximum(self.norm(self.conv(x, "0", stride=2), "1"), 0)
        x = self.max_pool(x)
        stage = 1
        while f"resnet_block{stage}.0.conv1.weight" in self.state:
            block = 0
            while f"resnet_block{stage}.{block}.conv1.weight" in self.state:
                stride = 2 if stage > 1 and block == 0 else 1
                x = self.residual(x, f"resnet_block{stage}.{block}", stride)
                block += 1
            stage += 1
        return x.mean((2, 3)) @ self.state["fc.1.weight"].T + self.state["fc.1.bias"]

    def residual(self, x, name, stride):
        y = np.maximum(self.norm(self.conv(x, f"{name}.conv1", stride), f"{name}.bn1"), 0)
        y = self.norm(self.conv(y, f"{name}.conv2"), f"{name}.bn2")
        if f"{name}.conv3.weight" in self.state:
            x = self.conv(x, f"{name}.conv3", stride)
        return np.maximum(x + y, 0)

    def conv(self, x, name, stride=1):
        weight = self.state[f"{name}.weight"]
        kernel = weight.shape[2]
        result = sum(
            np.einsum("oi,niyx->noyx", weight[:, :, row, column], part, optimize=True)
            for row, column, part in self.shifted(x, kernel, stride, border=0)
        )
        bias = self.state.get(f"{name}.bias", np.zeros(len(weight)))
        return result + bias[:, None, None]

    def max_pool(self, x):
        return np.max([part for _, _, part in self.shifted(x, 3, 2, border=-np.inf)], axis=0)

    def shifted(self, x, kernel, stride, border):
        """What each position of a kernel sees."""
        around = kernel // 2
        padded = np.pad(x, [(0, 0), (0, 0), (around,) * 2, (around,) * 2], constant_values=border)
        height, width = ((side + 2 * around - kernel) // stride + 1 for side in x.shape[2:])
        for row in range(kernel):
            for column in range(kernel):
                rows = slice(row, row + stride * height, stride)
                columns = slice(column, column + stride * width, stride)
                yield row, column, padded[:, :, rows, columns]

    def norm(self, x, name):
        mean, var, gamma, beta = (
            self.state[f"{name}.{part}"][:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / np.sqrt(var + 1e-5) * gamma + beta


@pytest.fixture(scope="module")
def tutorial_state():
    return random_state()


def pictures(count):
    """Coarse patterns, each fainter than the one before: their logits differ."""
    coarse = np.random.default_rng(2).integers(0, 256, (count, 7, 7, 1))
    fade = np.linspace(1, 0.25, count)[:, None, None, None]
    return np.rint(coarse * fade).repeat(4, axis=1).repeat(4, axis=2).astype(np.float32)


def assert_same_logits(model, state, images, scale=1.0):
    expected = Reference(state)(images.astype(np.float64).transpose(0, 3, 1, 2) * scale)
    found = np.asarray(model(images, training=False))
    allowed = 1e-4 * max(1, np.abs(expected).max())
    # Pictures with about the same logits would tell little.
    assert np.ptp(expected, axis=0).max() > 100 * allowed
    assert np.abs(found - expected).max() <= allowed


def test_tutorial_gives_the_same_logits(tutorial_state):
    model = torch_weights.from_state_dict(tutorial_state)
    assert sum(int(np.prod(v.shape)) for v in model.trainable_variables) == 2_780_554
    assert_same_logits(model, tutorial_state, pictures(2))


@pytest.mark.parametrize(
    ("depths", "widths", "kernel", "bias"),
    [((1, 2), (4, 6), 5, False), ((3,), (8,), 3, True), ((1, 1, 1, 1), (4, 4, 4, 4), 7, True)],
)
def test_other_shapes_are_inferred(depths, widths, kernel, bias):
    state = random_state(depths, widths, kernel, bias)
    assert torch_weights.arguments(state) == {
        "depths": depths,
        "widths": widths,
        "stem_kernel": kernel,
        "use_bias": bias,
    }
    assert_same_logits(torch_weights.from_state_dict(state), state, pictures(2))


def test_rescale_is_applied():
    state = random_state((1, 1), (4, 8))
    state["0.weight"] *= 255
    model = torch_weights.from_state_dict(state, rescale=1 / 255)
    assert_same_logits(model, state, pictures(2), scale=1 / 255)


@pytest.mark.parametrize("prefix", ["module.", "module._orig_mod."])
def test_prefix_is_dropped(prefix):
    state = random_state((1, 1), (4, 8))
    wrapped = {prefix + name: array for name, array in state.items()}
    assert_same_logits(torch_weights.from_state_dict(wrapped), state, pictures(2))


def test_batch_counts_may_be_absent():
    state = random_state((1, 1), (4, 8))
    old = {name: a for name, a in state.items() if "num_batches" not in name}
    assert_same_logits(torch_weights.from_state_dict(old), state, pictures(2))


@pytest.mark.parametrize(
    "name",
    [
        "0.weight",
        "0.bias",
        "1.running_var",
        "resnet_block1.0.conv1.weight",
        "resnet_block2.0.conv3.bias",
        "resnet_block2.0.bn2.weight",
        "fc.1.bias",
    ],
)
def test_missing_entry_is_named(name):
    state = random_state((2, 1), (4, 8))
    del state[name]
    with pytest.raises(DigitsError) as error:
        torch_weights.from_state_dict(state)
    assert str(error.value).endswith(f"found missing: {name}")


def test_missing_block_is_named():
    state = random_state((3, 1), (4, 8))
    state = {n: a for n, a in state.items() if not n.startswith("resnet_block1.1.")}
    with pytest.raises(DigitsError, match=r"missing: resnet_block1\.1\.conv1\.weight, .* more"):
        torch_weights.from_state_dict(state)


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("resnet_block2.0.conv1.weight", (8, 8, 3, 3), "(8, 4, 3, 3)"),
        ("resnet_block1.0.bn1.running_mean", (5,), "(4,)"),
        ("resnet_block1.0.bn1.weight", (), "(4,)"),
        ("0.weight", (4, 3, 7, 7), "(4, 1, 7, 7)"),
        ("0.weight", (4, 1, 6, 6), "(4, 1, 7, 7)"),
        ("fc.1.weight", (26, 8), "(10, 8)"),
    ],
)
def test_wrong_shape_is_named(name, shape, expected):
    state = random_state((1, 1), (4, 8))
    state[name] = np.zeros(shape, np.float32)
    with pytest.raises(DigitsError) as error:
        torch_weights.from_state_dict(state)
    assert str(error.value).endswith(f"of wrong shape: {name} (expected {expected}, found {shape})")


@pytest.mark.parametrize("name", ["head.weight", "resnet_block1.0.conv3.weight", "0.num_batches"])
def test_unknown_entry_is_named(name):
    state = random_state((1, 1), (4, 8)) | {name: np.zeros((4, 4, 1, 1), np.float32)}
    with pytest.raises(DigitsError) as error:
        torch_weights.from_state_dict(state)
    assert str(error.value).endswith(f"found unknown: {name}")


def test_entry_with_nan_is_named():
    state = random_state((1, 1), (4, 8))
    state["1.running_var"][2] = np.nan
    with pytest.raises(DigitsError, match=r"not finite: 1\.running_var$"):
        torch_weights.from_state_dict(state)


@pytest.mark.parametrize("state", [{}, {"layer1.0.conv1.weight": np.zeros((4, 4, 3, 3))}])
def test_another_network_is_refused(state):
    with pytest.raises(
        DigitsError, match=r"tutorial's network .* found (nothing|layer1\.0\.conv1)"
    ):
        torch_weights.from_state_dict(state)


def run_script(*words, code=None):
    start = ["-c", code] if code else [str(SCRIPT)]
    return subprocess.run(
        [sys.executable, *start, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_script_without_torch_says_what_to_install(tmp_path):
    hide = (
        "import runpy, sys; sys.modules['torch'] = None; "
        f"sys.argv[0] = {str(SCRIPT)!r}; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    done = run_script(tmp_path / "tutorial.pth", code=hide)
    assert done.returncode == 2
    assert done.stderr == "error: this needs PyTorch: pip install torch\n"


def test_script_converts_a_real_file(tmp_path, tutorial_state):
    torch = pytest.importorskip("torch")
    path = tmp_path / "tutorial.pth"
    tensors = {f"module.{name}": torch.tensor(array) for name, array in tutorial_state.items()}
    torch.save({"epoch": 3, "state_dict": tensors}, path)
    done = run_script(path)
    assert done.returncode == 0, done.stderr
    assert "2,780,554" in done.stdout
    model = keras.models.load_model(tmp_path / "tutorial.keras", compile=False)
    assert_same_logits(model, tutorial_state, pictures(2))

    torch.save(torch.nn.Linear(2, 2), path)
    refused = run_script(path, "--out", tmp_path / "other.keras")
    assert refused.returncode == 2
    assert "model.state_dict()" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert not (tmp_path / "other.keras").exists()
