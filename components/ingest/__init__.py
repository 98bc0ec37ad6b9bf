"""Dataset layouts, the manifest, and splits that are disjoint by identity."""
