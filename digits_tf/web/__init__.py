"""A page in the browser: draw, drop a picture, or watch a camera, and see what is read."""
