"""Which candidate is best, how sure that is, and whether it is good enough. Imports no torch."""
