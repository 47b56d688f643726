import ast
import os

import keras
import numpy as np
import pytest

from conftest import ROOT, assert_one_line_error, run
from digits_tf.cli import network_flags
from digits_tf.models.resnet import ARCHITECTURES, resnet


def trainable(model):
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)


def test_the_default_is_the_tutorials_network():
    model = resnet()
    assert trainable(model) == 2_780_554
    assert model.input_shape == (None, 28, 28, 1)
    assert model.output_shape == (None, 10)
    shapes = {layer.name: layer.output.shape[1:] for layer in model.layers}
    assert shapes["stem_conv"] == (14, 14, 64)
    assert shapes["stem_pool"] == (7, 7, 64)
    assert shapes["stage1_block2_add"] == (7, 7, 64)
    assert shapes["stage2_block1_shortcut"] == (4, 4, 128)
    assert shapes["stage3_block2_relu2"] == (2, 2, 256)
    assert model.get_layer("stage2_block1_shortcut").use_bias
    assert not any("shortcut_bn" in name for name in shapes)


def test_the_command_line_knows_the_architectures():
    assert set(network_flags.ARCHITECTURES) == set(ARCHITECTURES)


def test_small_architectures_stay_small():
    assert trainable(resnet(**ARCHITECTURES["tiny"])) <= 100_000
    assert trainable(resnet(**ARCHITECTURES["small"])) < 400_000


def test_padding_is_symmetric():
    """As in PyTorch, output (i, j) of a stride of 2 is centred on pixel (2i, 2j).

    Keras' "same" would centre it on (2i + 1, 2j + 1).
    """
    model = resnet(depths=(1,), widths=(1,), stem_kernel=7, rescale=1.0)
    kernel = np.zeros((7, 7, 1, 1), np.float32)
    kernel[3, 3] = 1
    model.get_layer("stem_conv").set_weights([kernel, np.zeros(1, np.float32)])
    image = np.random.default_rng(0).uniform(0, 255, (1, 28, 28, 1)).astype(np.float32)
    stem = keras.Model(model.input, model.get_layer("stem_conv").output)
    assert np.allclose(stem(image), image[:, ::2, ::2])


def test_pixels_are_scaled_inside():
    image = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 1))
    keras.utils.set_random_seed(0)
    scaled = resnet(**ARCHITECTURES["tiny"], rescale=1 / 255)
    keras.utils.set_random_seed(0)
    raw = resnet(**ARCHITECTURES["tiny"], rescale=1.0)
    assert np.allclose(scaled(image.astype(np.float32)), raw(image / 255.0), atol=1e-4)


def test_logits_are_float32_in_mixed_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = resnet(**ARCHITECTURES["tiny"])
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.output.dtype == "float32"
    assert model.get_layer("stage1_block1_conv1").compute_dtype == "float16"


@pytest.mark.parametrize(
    "arguments", [{"depths": (1, 1), "widths": (8,)}, {"depths": ()}, {"stem_kernel": 4}]
)
def test_impossible_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match="Received"):
        resnet(**arguments)


def test_networks_and_augmentation_import_no_tensorflow():
    folder = ROOT / "digits_tf"
    paths = [*(folder / "models").glob("*.py"), folder / "training" / "augmentation.py"]
    assert len(paths) > 2
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not any(name.partition(".")[0] == "tensorflow" for name in names), path


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_give_the_same(backend, tmp_path):
    pytest.importorskip(backend)
    script = (
        "import numpy as np, sys, keras\n"
        "from digits_tf.models.resnet import resnet\n"
        "from digits_tf.training.augmentation import augment\n"
        "from digits_tf.training.recipes import Augmentation\n"
        "images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 1)).astype('uint8')\n"
        "out = augment(images, np.arange(3), seed=1, epoch=2, strength=Augmentation(rotation=9,\n"
        "    slant=.1, scale=.1, shift=1, elastic=1, stroke=.5, blur=.5, gain=.3))\n"
        "np.save(sys.argv[1], keras.ops.convert_to_numpy(out))\n"
        "assert resnet()(images.astype('float32')).shape == (3, 10)\n"
    )
    import subprocess
    import sys

    results = []
    for name in ("tensorflow", backend):
        path = tmp_path / f"{name}.npy"
        env = {**os.environ, "KERAS_BACKEND": name}
        subprocess.run([sys.executable, "-c", script, path], env=env, check=True)
        results.append(np.load(path))
    assert np.allclose(*results, atol=0.1)


def test_command_prints_the_summary_and_draws(tmp_path):
    words = ("digits_tf.model", "--architecture=resnet", "--plot", tmp_path / "net.png")
    result = run(*words, env={"COLUMNS": "100"})
    assert result.returncode == 0, result.stderr
    assert "2,780,554" in result.stdout
    assert "stage3_block2_conv2" in result.stdout
    assert (tmp_path / "net.png").read_bytes().startswith(b"\x89PNG")


def test_command_refuses_impossible_networks():
    assert_one_line_error(run("digits_tf.model", "--widths=8,0,8"), "positive integers")
    assert_one_line_error(run("digits_tf.model", "--widths=8,16"), "one width a stage")
    assert_one_line_error(run("digits_tf.model", "--stem_kernel=4"), "odd")
    assert_one_line_error(run("digits_tf.model", "--architecture=vgg"), "architecture")
