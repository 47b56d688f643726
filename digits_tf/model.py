"""`python -m digits_tf.model`: see `digits_tf.cli.model`."""

if __name__ == "__main__":
    from digits_tf.cli import command

    command.start("model")
