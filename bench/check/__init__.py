"""Checks that every objective and algorithm must pass, usable on a file of one's own."""
