"""Searching for the settings with which a candidate does best on validation videos."""
