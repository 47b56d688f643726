"""The window's colours: B, G, R."""

from digits_tf.camera.lettering import Colour

GROUND: Colour = (32, 30, 28)
FAINT: Colour = (70, 66, 62)
GREY: Colour = (165, 160, 155)
WHITE: Colour = (245, 245, 245)
GREEN: Colour = (80, 220, 80)
RED: Colour = (70, 70, 240)
