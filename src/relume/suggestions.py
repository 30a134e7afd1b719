"""What somebody may have meant by a word that nothing is called."""

from collections.abc import Iterable
from difflib import get_close_matches

LEAST_ALIKE = 0.75
"""Words less alike than this (:func:`difflib.get_close_matches`), but for dashes, are not suggested."""

SHORTEST_BEGINNING = 3
"""Letters that must be there before what begins with them is suggested."""


def did_you_mean(word: str, known: Iterable[str], *, prefix: str = "") -> str | None:
    """A hint at what the word begins, or else at the one that it is a misspelling of; None far from all.

    Of several that begin with the word, those that only go on beyond another one are left out: ``compact``
    begins ``compact-small``, which is enough said of ``compact-small-x4``.

    Args:
        word: what was written.
        known: what would have been understood.
        prefix: what is written before each.
    """
    names = {name.strip("-"): name for name in known}
    bare = word.strip("-")
    begun = sorted(name for name in names if len(bare) >= SHORTEST_BEGINNING and name.startswith(bare))
    begun = [name for name in begun if not any(name.startswith(f"{other}-") for other in begun)]
    meant = begun or get_close_matches(bare, names, n=1, cutoff=LEAST_ALIKE)
    return f"did you mean {' or '.join(prefix + names[name] for name in meant)}?" if meant else None
