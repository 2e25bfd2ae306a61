"""The page, the loader and the command line as an attacker uses them."""
