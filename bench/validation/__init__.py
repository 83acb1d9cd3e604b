"""How wrong the virtual clock is: searches run for real, and the same ones replayed."""

from bench.validation.writer import show, write

__all__ = ["show", "write"]
