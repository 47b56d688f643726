"""`python -m digits_tf.predict`: see `digits_tf.cli.predict`."""

if __name__ == "__main__":
    from digits_tf.cli import command

    command.start("predict")
