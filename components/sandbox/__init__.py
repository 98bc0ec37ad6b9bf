"""Untrusted work in child processes that can be killed."""
