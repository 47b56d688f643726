"""The flag that publishes readings to an MQTT broker."""

import contextlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from absl import flags

from digits_tf.errors import DigitsError

if TYPE_CHECKING:
    from digits_tf.camera.display import FrameResult
    from digits_tf.camera.mqtt import Broker

MQTT = flags.DEFINE_string(
    "mqtt",
    None,
    "Publish each reading that differs from the one before to an MQTT broker: HOST/TOPIC, or "
    "mqtt://USER@HOST:PORT/TOPIC; mqtts:// encrypts. The password is that in "
    "$DIGITS_TF_MQTT_PASSWORD. Home Assistant finds it by itself.",
)


def broker() -> "Broker | None":
    """Returns what the flag names; None: nothing.

    Raises:
        DigitsError: if it is no such address, or paho-mqtt is missing.
    """
    if MQTT.value is None:
        return None
    try:
        from digits_tf.camera import mqtt
    except ImportError as error:
        raise DigitsError(
            f"--mqtt needs paho-mqtt 2 ({error}): pip install 'digits_tf[mqtt]'"
        ) from None
    try:
        return mqtt.parse(MQTT.value, os.environ.get(mqtt.PASSWORD))
    except DigitsError as error:
        raise DigitsError(f"--mqtt {error}") from None


def listener(
    stack: contextlib.ExitStack, broker: "Broker | None", notify: Callable[[str], None], live: bool
) -> "Callable[[FrameResult], None] | None":
    """Begins to publish; returns what a `Loop` tells of its results.

    Args:
        stack: ends it.
        broker: where to; None: nowhere.
        notify: takes messages for the user.
        live: see `Source.live`.
    """
    if broker is None:
        return None
    from digits_tf.camera.mqtt import Publisher

    publisher = Publisher(broker, notify, live)
    stack.callback(publisher.close)
    return publisher.tell
