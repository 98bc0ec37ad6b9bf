"""Great Expectations over the manifest: what must hold before anything trains on it."""
