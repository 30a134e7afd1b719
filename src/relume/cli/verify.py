"""Prove that a restored film is the original with better pictures, and nothing else.

    relume verify film.mp4 film-x4.mp4

Compares frames, times, sound, subtitles, attachments, chapters, titles, colour, rotation and shape; copied
streams to the byte. The exit code is 1 if anything is different that should not be.
"""

import json as json_module
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from relume.cli.failures import printable
from relume.cli.film import excerpt_of, need_video

if TYPE_CHECKING:
    from relume.video.interlace import Deinterlace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the command takes."""
    add = parser.add_argument
    add("original", type=Path, metavar="ORIGINAL", help="the film as it was")
    add("result", type=Path, metavar="RESULT", help="what relume made of it")
    add("--start", metavar="TIME", help="if an excerpt was restored: as it was given then")
    add("--end", metavar="TIME", help="the same")
    add("--deinterlace", choices=["auto", "on", "off"], default="auto", help="the same")
    add("--json", action="store_true", help="print one JSON object a check")


def run(
    original: Path,
    result: Path,
    start: str | None,
    end: str | None,
    deinterlace: "Deinterlace",
    json: bool,
) -> int:
    """Do it; see the module's text."""
    need_video()
    from relume.video.verify import verify

    checks = verify(original, result, excerpt_of(start, end), deinterlace)
    for check in checks:
        if json:
            print(json_module.dumps(asdict(check)))
        else:
            print(f"{'ok' if check.kept else 'BROKEN':<7} {check.name:<18} {printable(check.found)}")
    return int(not all(check.kept for check in checks))
