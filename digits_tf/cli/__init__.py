"""The commands, one file each. Nothing else in the package knows argv or absl's flags."""
