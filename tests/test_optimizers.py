"""The learning rate, and Muon for convolutions."""

import keras
import numpy as np
import pytest
from keras import ops

from digits_tf.training.optimizers import Muon, one_cycle

RATE = 0.01


def stepped(name: str, gradient: np.ndarray) -> np.ndarray:
    """By how much the weights of a layer of a name change in the first step."""
    variable = keras.Variable(np.zeros(gradient.shape, np.float32), name=name)
    optimizer = Muon(RATE, weight_decay=0.0, adam_beta_2=0.99)
    optimizer.build([variable])
    optimizer.apply([ops.convert_to_tensor(gradient.astype(np.float32))])
    return ops.convert_to_numpy(variable)


def test_rare_directions_of_a_kernel_move_as_far_as_common_ones():
    generator = np.random.default_rng(0)
    rare = 1.7 ** -np.arange(8.0)[:, None] * generator.normal(size=(8, 8))
    gradient = np.linalg.qr(generator.normal(size=(36, 8)))[0] @ rare
    assert np.linalg.cond(gradient) > 20
    change = stepped("conv_kernel", gradient.reshape(3, 3, 4, 8)).reshape(36, 8)
    moved = np.linalg.svd(change)[1] / (RATE * 0.2 * 36**0.5)
    assert moved[0] < 1.3
    assert moved[-1] > 0.5
    assert np.sum(change * gradient) < 0


@pytest.mark.parametrize(
    ("name", "shape"),
    [("gamma", (8,)), ("logits_kernel", (6, 10)), ("answer_kernel", (1, 1, 6, 10))],
)
def test_what_is_no_hidden_layers_kernel_learns_by_adamw(name, shape):
    """Its first step is the rate in each weight, whatever the gradient."""
    gradient = np.random.default_rng(1).uniform(0.5, 3, shape)
    np.testing.assert_allclose(stepped(name, gradient), -0.4 * RATE, rtol=1e-3)


def test_rate_rises_to_the_peak_and_falls_to_nothing():
    rate = one_cycle(0.01, steps=100, warmup=0.2)
    found = [float(rate(step)) for step in range(101)]
    assert found[0] == pytest.approx(0.0004)
    assert found[10] == pytest.approx(0.0052)
    assert max(found) == found[20] == pytest.approx(0.01)
    assert found[60] == pytest.approx(0.005)
    assert found[100] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("warmup", [0.0, 1.0])
def test_short_runs_have_a_rate(warmup):
    assert float(one_cycle(0.01, steps=1, warmup=warmup)(0)) == pytest.approx(0.0004)
