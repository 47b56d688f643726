"""`python -m digits_tf.benchmark`: see `digits_tf.cli.benchmark`."""

if __name__ == "__main__":
    from digits_tf.cli import command

    command.start("benchmark")
