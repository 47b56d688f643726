"""`python -m digits_tf.export`: see `digits_tf.cli.export`."""

if __name__ == "__main__":
    from digits_tf.cli import command

    command.start("export")
