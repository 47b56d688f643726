"""How fast the program reads on this machine, how large it is, and what that was measured on."""
