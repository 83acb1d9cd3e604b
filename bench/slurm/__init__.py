"""Cells as SLURM jobs: what is submitted, where, and what became of it."""
