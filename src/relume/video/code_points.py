"""Code points of ITU-T H.273: how a film means its colours, by the names that FFmpeg has for them."""

from typing import Final

PRIMARIES: Final = {
    1: "bt709",
    2: "unknown",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    10: "smpte428",
    11: "smpte431",
    12: "smpte432",
    22: "ebu3213",
}
"""What red, green and blue are (table 2)."""

TRANSFER: Final = {
    1: "bt709",
    2: "unknown",
    4: "gamma22",
    5: "gamma28",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    9: "log100",
    10: "log316",
    11: "iec61966-2-4",
    12: "bt1361e",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
}
"""What levels mean as light (table 3)."""

MATRIX: Final = {
    0: "rgb",
    1: "bt709",
    2: "unknown",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "ycgco",
    9: "bt2020nc",
    10: "bt2020c",
    14: "ictcp",
}
"""How Y'CbCr is made of R'G'B' (table 4)."""

RANGE: Final = {0: "unknown", 1: "tv", 2: "pc"}
"""Whether levels leave room at both ends; FFmpeg's own numbers."""


def name_of(names: dict[int, str], number: int) -> str:
    """The name of a code point, or its number if it has none here."""
    return names.get(number, str(number))
