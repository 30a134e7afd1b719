"""Are sound, subtitles, attachments, chapters and titles of two films the same?"""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from relume.video.checks import LARGEST_SHIFT_S, Check, compare, shifted
from relume.video.decoding import is_cover, is_timecode, main_stream, with_title
from relume.video.film import WHOLE, Excerpt

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

_CONTAINERS_OWN_KEYS: Final = {
    *("encoder", "major_brand", "minor_version", "compatible_brands", "handler_name", "vendor_id"),
    *("duration", "number_of_frames", "number_of_bytes", "bps", "encoded_by_library"),
}
"""Metadata that containers write about themselves; keys in lower case."""


@dataclass
class _Contents:
    """The packets of a stream.

    Attributes:
        hashes: of each packet's bytes.
        times: when each is shown, in seconds.
    """

    hashes: list[bytes] = field(default_factory=list[bytes])
    times: list[Fraction | None] = field(default_factory=list[Fraction | None])


def compare_streams(original: Path, result: Path, excerpt: Excerpt, origin: Fraction) -> Iterator[Check]:
    """Compare everything but the restored pictures.

    Args:
        original: what was restored.
        result: what came out.
        excerpt: the part of the original that was restored.
        origin: time in the original that is zero in the result.
    """
    with _both(original, result) as (before, after):
        yield _chapters(before, after, excerpt, origin)
        yield from _descriptions(before, after)
        old, new = _contents(before, excerpt, origin), _contents(after, WHOLE, Fraction(0))
        for was, now in zip(_streams(before), _streams(after), strict=False):
            yield from _stream(was, old.get(was.index), new.get(now.index))


def compare_descriptions(original: Path, result: Path) -> Iterator[Check]:
    """Compare which streams there are, and what titles, languages and so on are told."""
    with _both(original, result) as (before, after):
        yield from _descriptions(before, after)


@contextmanager
def _both(original: Path, result: Path) -> "Generator[tuple[InputContainer, InputContainer]]":
    import av

    with (
        av.open(str(original), metadata_errors="replace") as before,
        av.open(str(result), metadata_errors="replace") as after,
    ):
        yield before, after


def _descriptions(before: "InputContainer", after: "InputContainer") -> Iterator[Check]:
    yield compare("streams", _kinds(before), _kinds(after), show=", ".join)
    yield _metadata("titles", before.metadata, after.metadata)
    for was, now in zip(_streams(before), _streams(after), strict=False):
        yield _metadata(f"stream {was.index} titles", was.metadata, {**_times(after), **now.metadata})
        alone = sum(stream.type == was.type for stream in _streams(before)) == 1
        yield compare(f"stream {was.index} role", _role(was, alone), _role(now, alone), show=_listed)
        if was.type == "attachment":
            files = _attached(was), _attached(now)
            yield compare(f"stream {was.index} file", *files, show=lambda item: item[0])


def _times(container: "InputContainer") -> dict[str, str]:
    """The film's creation time: where it is that of a stream too, Matroska keeps it once."""
    return {key: value for key, value in container.metadata.items() if key == "creation_time"}


def _streams(container: "InputContainer") -> "list[Stream]":
    """All but time codes: these are compared where the pictures' metadata tell them."""
    return [stream for stream in container.streams if not is_timecode(stream)]


def _kinds(container: "InputContainer") -> list[str]:
    """Type and codec of every stream; of the restored pictures the codec may be another."""
    main = main_stream(container)
    return [
        "video" if stream is main else f"{stream.type} {getattr(stream, 'name', None)}"
        for stream in _streams(container)
    ]


def _contents(container: "InputContainer", excerpt: Excerpt, origin: Fraction) -> dict[int, _Contents]:
    main = main_stream(container)
    others = [stream for stream in _streams(container) if stream is not main and stream.type != "attachment"]
    found = {stream.index: _Contents() for stream in others}
    for packet in container.demux(others) if others else ():
        if not packet.size:
            continue
        pts = packet.pts if packet.pts is not None else packet.dts
        time = None if pts is None or is_cover(packet.stream) else pts * packet.time_base
        if time is not None and not excerpt.holds(time):
            continue
        contents = found[packet.stream_index]
        contents.hashes.append(sha256(bytes(packet)).digest())
        contents.times.append(None if time is None else time - origin)
    return found


def _stream(was: "Stream", old: _Contents | None, new: _Contents | None) -> Iterator[Check]:
    if old is None or new is None:
        return
    name = f"stream {was.index}"
    same = old.hashes == new.hashes
    number = f"{len(old.hashes)} packets of {was.type}"
    found = f"{number}, identical" if same else f"{number} became {len(new.hashes)} other ones"
    yield Check(f"{name} bytes", same, found)
    pairs = zip(old.times, new.times, strict=False)
    shifts = [abs(a - b) for a, b in pairs if a is not None and b is not None]
    yield shifted(f"{name} times", max(shifts, default=Fraction(0)))


def _attached(stream: Any) -> tuple[str, bytes]:
    return stream.name or "", sha256(stream.data).digest()


def _role(stream: "Stream", alone: bool) -> list[str]:
    """The stream's dispositions; being the default means nothing for the only one of its kind."""
    return sorted(item.name or "" for item in stream.disposition if not (alone and item.name == "default"))


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"


def _metadata(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> Check:
    old, new = ({key.lower(): value for key, value in with_title(tags).items()} for tags in (before, after))
    wanted = {
        key: value
        for key, value in old.items()
        if key not in _CONTAINERS_OWN_KEYS
        and not key.startswith("_statistics")
        and (key, value) != ("language", "und")
    }
    lost = [f"{key}: {value} became {new.get(key)}" for key, value in wanted.items() if new.get(key) != value]
    return Check(name, not lost, "; ".join(lost) or f"{len(wanted)} kept")


def _chapters(before: "InputContainer", after: "InputContainer", excerpt: Excerpt, origin: Fraction) -> Check:
    old, new = _marks(before), _marks(after)
    wanted = [
        (
            max(excerpt.start, start) - origin,
            (end if excerpt.end is None else min(end, excerpt.end)) - origin,
            title,
        )
        for start, end, title in old
        if end > excerpt.start and (excerpt.end is None or start < excerpt.end)
    ]
    kept = len(wanted) == len(new) and all(
        abs(a[0] - b[0]) <= 2 * LARGEST_SHIFT_S and abs(a[1] - b[1]) <= 2 * LARGEST_SHIFT_S and a[2] == b[2]
        for a, b in zip(wanted, new, strict=True)
    )
    return Check(
        "chapters", kept, f"{len(wanted)} kept" if kept else f"{len(wanted)} became {len(new)} or others"
    )


def _marks(container: "InputContainer") -> list[tuple[Fraction, Fraction, str]]:
    return [
        (chapter["start"] * unit, chapter["end"] * unit, chapter["metadata"].get("title", ""))
        for chapter in container.chapters()
        if (unit := chapter["time_base"])
    ]
