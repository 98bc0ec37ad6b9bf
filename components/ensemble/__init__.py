"""Several trained candidates as one."""
