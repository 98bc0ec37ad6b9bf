"""Everything that answers with a bundle: the scorer, and who uses it. Runs without torch."""
