"""Examination of videos, the manifest, quarantine and statistics of a dataset."""
