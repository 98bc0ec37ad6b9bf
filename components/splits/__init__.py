"""Who is in which split, and proof that nobody stands in two."""
