"""`python -m digits_tf`: see `digits_tf.cli.main`."""

if __name__ == "__main__":
    from digits_tf.cli import main

    main.start()
