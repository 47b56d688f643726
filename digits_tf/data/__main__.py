"""`python -m digits_tf.data`: see `digits_tf.cli.data`."""

if __name__ == "__main__":
    from digits_tf.cli import command

    command.start("data")
