"""`python -m digits_tf.train`: see `digits_tf.cli.train`."""

if __name__ == "__main__":
    from digits_tf.cli import command

    command.start("train")
