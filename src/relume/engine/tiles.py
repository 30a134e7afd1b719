"""Where tiles lie: integer geometry, no pixels."""

from dataclasses import dataclass

Shape = tuple[int, int]
"""Rows and columns, in input pixels."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One tile along one side of the picture, in input pixels; all ranges are half-open.

    Attributes:
        start: first pixel of the window that the network sees.
        stop: end of that window.
        first: first pixel of the part of its output that is kept.
        last: end of that part.
    """

    start: int
    stop: int
    first: int
    last: int

    def window(self) -> slice:
        """What the network sees, in the input picture."""
        return slice(self.start, self.stop)

    def output(self, scale: int) -> slice:
        """Where the kept part lies in the output picture."""
        return slice(self.first * scale, self.last * scale)

    def crop(self, scale: int) -> slice:
        """Where the kept part lies in what the network makes of the window."""
        return slice((self.first - self.start) * scale, (self.last - self.start) * scale)


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle of the picture: its cut along each side.

    Attributes:
        rows: from top to bottom.
        columns: from left to right.
    """

    rows: Cut
    columns: Cut

    def window(self) -> tuple[slice, slice]:
        """What the network sees, in the input picture."""
        return self.rows.window(), self.columns.window()

    @property
    def shape(self) -> Shape:
        """Rows and columns of that."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start

    def output(self, scale: int) -> tuple[slice, slice]:
        """Where the kept part lies in the output picture."""
        return self.rows.output(scale), self.columns.output(scale)

    def crop(self, scale: int) -> tuple[slice, slice]:
        """Where the kept part lies in what the network makes of the window."""
        return self.rows.crop(scale), self.columns.crop(scale)


def plan_tiles(height: int, width: int, tile: Shape, halo: int, multiple: int = 1) -> list[Tile]:
    """Cut a picture into overlapping windows of equal shape, row by row.

    Windows never reach beyond the picture: where one ends at the picture's border, a network that pads there
    sees what it sees in the whole picture, and everywhere else the window goes at least ``halo`` pixels
    beyond the kept part. So the kept parts together are the network's output for the whole picture. The
    windows are as few as possible, then as small as possible, and spread evenly: the least work twice.

    Args:
        height: rows of the picture, a multiple of ``multiple``.
        width: columns of the picture, a multiple of ``multiple``.
        tile: largest rows and columns of the kept part of a tile inside the picture; windows are at most
            ``tile + 2·halo``, all rounded up to ``multiple``.
        halo: radius of the network's receptive field.
        multiple: windows start and end at multiples of this.
    """
    columns = plan_cuts(width, tile[1], halo, multiple)
    return [Tile(row, column) for row in plan_cuts(height, tile[0], halo, multiple) for column in columns]


def plan_cuts(length: int, tile: int, halo: int, multiple: int = 1) -> list[Cut]:
    """Cut one side of a picture; arguments as in :func:`plan_tiles`."""
    assert length > 0
    assert length % multiple == 0, f"{length} px is no multiple of {multiple}"
    length, halo, tile = length // multiple, _divide_up(halo, multiple), _divide_up(tile, multiple)
    inner = length - 2 * halo
    if inner <= tile:
        return [Cut(0, length * multiple, 0, length * multiple)]
    count = _divide_up(inner, tile)
    window = _divide_up(inner, count) + 2 * halo
    starts = [i * (length - window) // (count - 1) for i in range(count)]
    seams = [0, *(start + halo for start in starts[1:]), length]
    return [
        Cut(start * multiple, (start + window) * multiple, first * multiple, last * multiple)
        for start, first, last in zip(starts, seams[:-1], seams[1:], strict=True)
    ]


def fit_tiles(height: int, width: int, largest_px: int, halo: int, smallest: int) -> Shape:
    """The tiles that overlap least, where a window has at most so many pixels.

    Args:
        height: rows of the picture.
        width: columns of the picture.
        largest_px: pixels of a window.
        halo: radius of the network's receptive field.
        smallest: side of the smallest tiles, which are taken if nothing fits.

    Returns:
        ``tile`` of :func:`plan_tiles`.
    """
    if height * width <= largest_px:
        return height, width
    fitting: list[Shape] = []
    for count in range(1, height // smallest + 1):
        rows = _divide_up(height - 2 * halo, count) if count > 1 else height
        columns = largest_px // (rows + 2 * halo if count > 1 else height) - 2 * halo
        fitting += [(rows, min(columns, width))] if min(rows, columns) >= smallest else []
    return min(fitting, key=lambda tile: overlap(height, width, tile, halo), default=(smallest, smallest))


def overlap(height: int, width: int, tile: Shape, halo: int) -> float:
    """Pixels of all windows together, as a multiple of the picture's."""
    seen = [
        sum(cut.stop - cut.start for cut in plan_cuts(length, side, halo))
        for length, side in zip((height, width), tile, strict=True)
    ]
    return seen[0] * seen[1] / (height * width)


def _divide_up(value: int, by: int) -> int:
    return -(-value // by)
