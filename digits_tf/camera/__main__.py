"""`python -m digits_tf.camera`: see `digits_tf.cli.camera`."""

if __name__ == "__main__":
    from digits_tf.cli import command

    command.start("camera")
