"""Digits to train and test on: the idx format, its sources, and the command that shows them."""
