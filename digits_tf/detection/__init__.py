"""The network that finds digits, how it is trained, and the crops that it gives."""
