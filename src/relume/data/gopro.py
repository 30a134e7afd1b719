"""The GOPRO dataset's folders as pairs for training."""

import filecmp
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from relume.data.pairs import match_folders
from relume.errors import InputError, OutputError
from relume.files import replacing

PARTS = ("train", "test")


def prepare_gopro(
    source: str | Path,
    target: str | Path,
    *,
    blur: Literal["blur", "blur_gamma"] = "blur",
    copy: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, int]:
    """Lay out the GOPRO dataset as ``train|test/A|B/<sequence>_<frame>.png``.

    What is there already stays, so that an interrupted preparation goes on where it stopped. Everything is
    looked at before anything is written.

    Args:
        source: the unpacked ``GOPRO_Large``: ``train|test/GOPR<sequence>/{blur,blur_gamma,sharp}/*.png``;
            one part is enough.
        target: where ``train`` and ``test`` go; made if missing.
        blur: which blurred frames are ``A``: means of file values, or of light (gamma 2.2).
        copy: copy the files; otherwise they are hard links where the file system can, which take no space
            but change with their originals.
        progress: told (files done, files in all) after every file.

    Returns:
        The number of pairs of each part found.

    Raises:
        InputError: if ``source`` is not the dataset, a frame has no partner, or ``target`` holds another
            picture of the same name.
        OutputError: if ``target`` cannot be written.

    Source:
        S. Nah et al., "Deep multi-scale convolutional neural network for dynamic scene deblurring", 2017.
    """
    source, target = Path(source), Path(target)
    layouts = {
        part: _layout(source / part, target / part, blur) for part in PARTS if (source / part).is_dir()
    }
    files = {new: old for layout in layouts.values() for new, old in layout.items()}
    if not files:
        raise InputError(
            f"{source} is not the GOPRO dataset",
            got=_content(source),
            allowed=f"train|test/GOPR*/{blur} and sharp",
            hint="give the unpacked GOPRO_Large folder",
        )
    for folder in {new.parent for new in files}:
        _make(folder)
    for done, (new, old) in enumerate(files.items(), start=1):
        _place(old, new, copy)
        if progress:
            progress(done, len(files))
    return {part: len(layout) // 2 for part, layout in layouts.items()}


def _layout(source: Path, target: Path, blur: str) -> dict[Path, Path]:
    """New file -> old file of a part."""
    layout: dict[Path, Path] = {}
    for sequence in sorted(path for path in source.glob("GOPR*") if path.is_dir()):
        for degraded, sharp in match_folders(sequence / blur, sequence / "sharp"):
            layout[target / "A" / f"{sequence.name}_{degraded.name}"] = degraded
            layout[target / "B" / f"{sequence.name}_{sharp.name}"] = sharp
    return layout


def _content(folder: Path) -> str:
    if not folder.is_dir():
        return "no folder" if not folder.exists() else "a file"
    names = sorted(path.name for path in folder.iterdir())
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "") or "an empty folder"


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}", got=error.strerror) from error


def _place(old: Path, new: Path, copy: bool) -> None:
    if new.exists():
        if not filecmp.cmp(old, new):
            raise InputError(f"{new} is there already and is not {old}", hint="choose an empty target folder")
        return
    if not copy:
        try:
            os.link(old, new)
            return
        except OSError:
            pass  # another file system, or one without links
    with replacing(new) as temporary:
        shutil.copy2(old, temporary)
