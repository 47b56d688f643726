"""`python -m digits_tf.evaluate`: see `digits_tf.cli.evaluate`."""

if __name__ == "__main__":
    from digits_tf.cli import command

    command.start("evaluate")
