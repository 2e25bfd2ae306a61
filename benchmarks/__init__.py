"""Side-by-side measurements against the alternatives that a user has."""
