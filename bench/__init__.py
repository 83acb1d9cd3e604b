"""`bench` runs cells and turns their journals into answers (see docs/architecture.md)."""

__version__ = "0.1.0"
