"""`python -m digits_tf.web`: see `digits_tf.cli.web`."""

if __name__ == "__main__":
    from digits_tf.cli import command

    command.start("web")
