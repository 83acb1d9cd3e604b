"""The algorithms, one file each; `random.py` is `random`. Files that begin with `_` are shared."""
