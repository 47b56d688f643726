"""The command lines, one file each. Nothing else in the package knows argv."""
