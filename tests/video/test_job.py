"""Films from file to file, with what must survive; ``relume verify`` is the judge."""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from tests.video.conftest import picture

from relume.errors import InputError, OutputError, UsageError
from relume.model import Model
from relume.video import job
from relume.video.decoding import open_film
from relume.video.film import WHOLE, Excerpt
from relume.video.job import FilmDone, Progress, restore_film
from relume.video.journal import hash_of
from relume.video.plan import Wishes
from relume.video.sources import FilmFile
from relume.video.targets import FilmTarget
from relume.video.verify import verify

SHORT = {"shortest": 3, "longest": 5}


class Interrupted(Exception):
    pass


def restored(
    source: Path,
    model: Model,
    name: str = "out.mkv",
    tell: Callable[[Progress], None] = lambda progress: None,
    **wishes: Any,
) -> tuple[Path, FilmDone]:
    target = source.with_name(name)
    wishes = {"preset": "12", **wishes} if wishes.get("codec", "av1") == "av1" else wishes
    done = restore_film(FilmFile(source), FilmTarget(target), model, Wishes(**wishes), tell)
    assert not parts(target).exists()
    return target, done


def parts(target: Path) -> Path:
    return target.with_name(f"{target.name}.parts")


def broken(source: Path, target: Path, excerpt: Excerpt = WHOLE) -> list[str]:
    """Promises that are not kept, but for flicker: no promise can be made for an untrained network's."""
    checks = [check for check in verify(source, target, excerpt) if check.name != "flicker"]
    return [f"{check.name}: {check.found}" for check in checks if not check.kept]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux")
def test_encoders_leave_the_process_s_scheduling_alone(make_clip, model: Model):
    """SVT-AV1 makes root's processes real-time ones, for good, with all that they start."""

    def policies() -> set[int]:
        found = set[int]()
        for task in Path("/proc/self/task").iterdir():
            with suppress(ProcessLookupError):  # a thread that has ended meanwhile
                found.add(os.sched_getscheduler(int(task.name)))
        return found

    before = policies()
    seen: list[set[int]] = []
    restored(make_clip(), model, tell=lambda progress: seen.append(policies()))
    assert seen[1:]
    assert all(during <= before for during in [*seen, policies()])


def test_everything_is_kept(make_clip, model: Model):
    source = make_clip(
        audio=["eng", "fra", "deu"],
        subtitles=True,
        font=b"not really a font",
        chapters=True,
        turn=90,
        metadata={"title": "A film", "comment": "of waves"},
    )
    target, done = restored(source, model)
    assert (done.width, done.height, done.num_frames) == (192, 128, 12)
    checks = {check.name: check for check in verify(source, target)}
    assert broken(source, target) == []
    assert (
        checks["streams"].found
        == "video, audio aac, audio aac, audio aac, subtitle srt, attachment serif.ttf"
    )
    assert checks["chapters"].found == "2 kept"
    assert checks["rotation"].found != "none"
    assert checks["depth"].found == "8 → 10 bits"
    assert checks["colour"].found == "primaries bt709, transfer bt709, matrix bt709, range tv"
    assert checks["stream 1 bytes"].found.endswith("packets of audio, identical")


@pytest.mark.parametrize(
    ("clip", "name", "wishes"),
    [
        ({}, "out.mp4", {}),
        ({"name": "a.mp4", "audio": ["eng"], "metadata": {"title": "T"}}, "out.mp4", {"codec": "x264"}),
        ({"pts": [3, 4, 9, 10, 30, 31]}, "out.mkv", {}),
        ({"name": "a.mp4", "pts": [0, 1, 7, 90], "time_base": Fraction(1, 90)}, "out.mp4", {"codec": "x265"}),
        ({"codec": "ffv1", "size": (51, 33)}, "out.mkv", {}),
        ({"shape": Fraction(16, 15), "colour": (5, 6, 5, 1)}, "out.mkv", {"codec": "x265"}),
        ({"shape": Fraction(16, 15), "colour": (5, 6, 5, 1)}, "out.mp4", {}),
        ({"colour": (2, 2, 2, 0)}, "out.mkv", {"scale": 2}),
        ({"pix_fmt": "yuvj420p", "colour": (1, 1, 1, 2)}, "out.mkv", {"codec": "x264"}),
        ({"codec": "ffv1", "pix_fmt": "yuv422p10le"}, "out.mov", {"codec": "prores"}),
        ({"codec": "ffv1", "pix_fmt": "yuv444p16le"}, "out.mkv", {"codec": "ffv1"}),
        ({"codec": "ffv1", "pix_fmt": "gray"}, "out.mkv", {"height": 48}),
        ({"codec": "ffv1", "pix_fmt": "bgr0", "colour": (1, 13, 0, 2)}, "out.mkv", {"codec": "ffv1"}),
        ({"codec": "ffv1", "pix_fmt": "bgr0", "colour": (1, 13, 0, 2)}, "out.mkv", {}),
        ({"turn": 180}, "out.mkv", {"width": 100, "height": 100, "codec": "x264"}),
    ],
)
def test_films_of_all_kinds(make_clip, model: Model, clip: dict, name: str, wishes: dict):
    source = make_clip(**{"name": "in.mkv", **clip})
    target, _ = restored(source, model, name, **wishes)
    assert broken(source, target) == []


def test_hdr10(make_clip, model: Model):
    display = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
    source = make_clip(
        codec="libx265",
        pix_fmt="yuv420p10le",
        colour=(9, 16, 9, 1),
        size=(64, 64),
        options={"x265-params": f"log-level=error:master-display={display}:max-cll=1000,400"},
    )
    for codec in ("av1", "x265", "x264"):
        target, _ = restored(source, model, f"{codec}.mkv", codec=codec)
        assert broken(source, target) == []
        with open_film(target) as film:
            assert film.info.tags.mastering.light == (1000, 400)
    with pytest.raises(UsageError, match="HDR10"):
        restored(source, model, codec="ffv1")


def test_an_excerpt_begins_at_zero(make_clip, model: Model):
    source = make_clip(pts=range(25), audio=["eng"], subtitles=True, chapters=True)
    excerpt = Excerpt(Fraction(1, 5), Fraction(3, 5))
    target, done = restored(source, model, excerpt=excerpt)
    assert done.num_frames == 10
    assert broken(source, target, excerpt) == []
    with open_film(target) as film:
        assert next(film.frames()).pts == 0
    assert any(told.startswith("frames: 25 became 10; was it an excerpt?") for told in broken(source, target))


def test_an_interruption_changes_no_byte(make_clip, model: Model):
    """Wherever it comes; finished segments are films themselves, and are not made again."""
    source = make_clip(pts=range(14), audio=["eng"])
    expected = hash_of(restored(source, model, "whole.mkv", **SHORT)[0])
    for codec_frames in (1, 6, 9, 14):
        target = source.with_name("out.mkv")

        def interrupt(progress: Progress, last: int = codec_frames) -> None:
            if progress.done >= last:
                raise Interrupted

        with pytest.raises(Interrupted):
            restored(source, model, tell=interrupt, **SHORT)
        segments = sorted(parts(target).glob("*.mkv"))
        assert len(segments) == (codec_frames - 1) // 5
        for segment in segments:
            with open_film(segment) as film:
                assert len(list(film.frames())) == 5
        target, done = restored(source, model, **SHORT)
        assert done.resumed_frames == 5 * len(segments)
        assert hash_of(target) == expected


def test_interrupted_while_the_film_is_put_together(make_clip, model: Model, monkeypatch: pytest.MonkeyPatch):
    source = make_clip()
    expected = hash_of(restored(source, model, "whole.mkv")[0])

    def fail(*_: object) -> None:
        raise Interrupted

    for place, step in ((FilmTarget, "assemble"), (job, "_clear")):
        with monkeypatch.context() as patch:
            patch.setattr(place, step, fail)
            with pytest.raises(Interrupted):
                restored(source, model)
        target, done = restored(source, model)
        assert done.resumed_frames == 12
        assert hash_of(target) == expected


def test_a_damaged_segment_is_made_again(make_clip, model: Model):
    source = make_clip(pts=range(14))
    expected = hash_of(restored(source, model, "whole.mkv", **SHORT)[0])
    _leave_parts(source, model)
    folder = parts(source.with_name("out.mkv"))
    damaged = folder / "000002.mkv"
    damaged.write_bytes(damaged.read_bytes()[:-9] + b"x" * 9)
    (folder / ".stray.mkv").write_bytes(b"")
    with (folder / "journal.jsonl").open("ab") as file:
        file.write(b'{"file": "00000')  # the process died while it wrote
    target, done = restored(source, model, **SHORT)
    assert done.resumed_frames == 5
    assert hash_of(target) == expected


def test_another_job_does_not_go_on(make_clip, model: Model, monkeypatch: pytest.MonkeyPatch):
    source = make_clip(pts=range(14))
    _leave_parts(source, model)
    with pytest.raises(UsageError, match=r"another job.*crf 24 → 30"):
        restored(source, model, crf=30, **SHORT)
    with monkeypatch.context() as patch:
        patch.setattr(model, "card", replace(model.card, precision="int8"))  # has the same weights_sha256
        with pytest.raises(UsageError, match=r"another job.*model.precision float32 → int8"):
            restored(source, model, **SHORT)
    with pytest.raises(UsageError, match=r"another job.*end not set → 0.4 s, start 0 s → 0.04 s"):
        restored(source, model, excerpt=Excerpt(Fraction(1, 25), Fraction(2, 5)), **SHORT)
    make_clip(pts=range(13))
    with pytest.raises(UsageError, match=r"another job.*film"):
        restored(source, model, **SHORT)
    journal = parts(source.with_name("out.mkv")) / "journal.jsonl"
    journal.write_text("nonsense\n")
    with pytest.raises(InputError, match="is damaged"):
        restored(source, model, **SHORT)


def _leave_parts(source: Path, model: Model) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.done == 13:
            raise Interrupted

    with pytest.raises(Interrupted):
        restored(source, model, tell=interrupt, **SHORT)


def test_what_repeats_is_not_computed_again(make_clip, model: Model):
    def still(number: int, width: int, height: int) -> np.ndarray:
        image = np.full((height, width, 3), 90, np.uint8)
        image[:, : width // 2] += np.uint8(40 * (number // 3 % 2))  # only the left half, every third frame
        return image

    source = make_clip(codec="ffv1", size=(192, 64), pictures=still)
    target, done = restored(source, model, tile=32, codec="ffv1")
    assert broken(source, target) == []
    assert done.repeated_frames == 8
    assert 0.1 < done.reused_share < 0.5
    apart, other = restored(source, model, "segments.mkv", tile=32, codec="ffv1", **SHORT)
    whole, _ = restored(source, model, "whole.mkv", tile=32, codec="ffv1")
    with open_film(apart) as one, open_film(whole) as two:
        for a, b in zip(one.frames(), two.frames(), strict=True):
            assert a.image.planes[0] is not None
            assert np.array_equal(a.image.to_ndarray(), b.image.to_ndarray())
    assert other.repeated_frames == 8


def test_a_cut_begins_a_segment(make_clip, model: Model, monkeypatch: pytest.MonkeyPatch):
    def two_scenes(number: int, width: int, height: int) -> np.ndarray:
        y, x = np.mgrid[0:height, 0:width]
        grey = (x * 255 // width if number < 7 else y * 255 // height).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)

    found: list[job.Journal] = []
    monkeypatch.setattr(FilmTarget, "assemble", lambda *arguments: found.append(arguments[-1]))
    restored(make_clip(pictures=two_scenes), model, shortest=3, longest=100)
    assert [len(segment.pts) for segment in found[0].segments] == [7, 5]


def test_interlaced_films_are_deinterlaced(make_clip, model: Model):
    source = make_clip(options={"x264-params": "tff=1"}, size=(64, 64))
    with open_film(source) as film:
        assert film.info.interlaced == "marked"
    target, done = restored(source, model)
    assert done.interlaced == "marked"
    assert broken(source, target) == []


def test_bad_films(tmp_path: Path, make_clip, model: Model):
    source = make_clip("good.mp4")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "noise.mp4").write_bytes(b"noise" * 99)
    (tmp_path / "truncated.mp4").write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    with av.open(str(tmp_path / "sound.mkv"), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        stream.codec_context.layout = "mono"
        container.start_encoding()
    for name in ("missing.mp4", "empty.mp4", "noise.mp4", "truncated.mp4", "sound.mkv", "."):
        with pytest.raises(InputError, match="cannot read"):
            restored(tmp_path / name, model)
    with pytest.raises(InputError, match="no frame"):
        restored(source, model, excerpt=Excerpt(Fraction(100)))


def test_a_film_that_ends_in_the_middle_of_a_packet(make_clip, model: Model):
    source = make_clip(codec="ffv1", pts=range(12))
    source.write_bytes(source.read_bytes()[:-2500])
    target, done = restored(source, model)
    assert 0 < done.num_frames < 12
    assert broken(source, target) == []


@pytest.mark.parametrize(
    ("name", "wishes", "words"),
    [
        ("out.mp4", {"codec": "ffv1"}, "cannot hold ffv1"),
        ("out.avi", {}, "cannot hold av1"),
        ("out.mkv", {"codec": "h266"}, "unknown codec"),
        ("out.mkv", {"crf": 99}, "--crf 99 does not fit av1; allowed: 1 to 63"),
        ("out.mkv", {"codec": "ffv1", "crf": 9}, "its quality is fixed"),
        ("out.mkv", {"preset": "slow"}, "--preset slow"),
        ("out.mkv", {"pix_fmt": "rgb24"}, "--pix-fmt rgb24"),
        ("out.mkv", {"codec": "x264", "width": 51, "height": 33}, "51 × 33"),
        ("out.mkv", {"width": -3}, "width is out of range"),
    ],
)
def test_wishes_that_cannot_be_fulfilled(make_clip, model: Model, name: str, wishes: dict, words: str):
    source = make_clip()
    with pytest.raises(UsageError, match=words):
        restored(source, model, name, **wishes)
    assert [path.name for path in source.parent.iterdir()] == ["clip.mkv"]


def test_what_the_container_cannot_hold_is_told_before_the_first_frame(make_clip, model: Model):
    """And it is what ``relume verify`` finds missing afterwards."""
    source = make_clip(
        "in.mp4", audio=["eng"], metadata={"title": "A film", "creation_time": "2001-02-03T04:05:06Z"}
    )
    told: list[str] = []
    for name, wishes in (("out.mp4", Wishes(preset="12")), ("out.mkv", Wishes(preset="12"))):
        restore_film(
            FilmFile(source), FilmTarget(source.with_name(name)), model, wishes, progress, told.append
        )
        assert told == []
        assert broken(source, source.with_name(name)) == []

    def stop(loss: str) -> None:
        told.append(loss)
        if len(told) == 2:
            raise Interrupted

    target = FilmTarget(source.with_name("out.ts"))
    with pytest.raises(Interrupted):
        restore_film(FilmFile(source), target, model, Wishes(codec="x264"), progress, stop)
    assert [path.name for path in target.parts.iterdir()] == ["journal.jsonl"]
    told.clear()
    restore_film(FilmFile(source), target, model, Wishes(codec="x264"), progress, told.append)
    assert sorted(told) == sorted(line for line in broken(source, target.path) if "titles" in line)
    assert any("title: A film became None" in line for line in told)


def progress(progress: Progress) -> None: ...


def test_time_codes_are_written_anew(make_clip, model: Model):
    """The track of a camera's file is no stream that can be copied."""
    source = make_clip("in.mov", audio=["eng"], metadata={"timecode": "01:02:03:04"})
    for name, codec in (("out.mov", "x264"), ("out.mp4", "av1"), ("out.mkv", "av1")):
        target, _ = restored(source, model, name, codec=codec)
        assert broken(source, target) == []
        with av.open(str(target)) as container:
            tags = {key.lower(): value for key, value in container.streams[0].metadata.items()}
            assert tags["timecode"] == "01:02:03:04"


def test_data_are_copied_where_the_container_takes_them(tmp_path: Path, model: Model):
    source = tmp_path / "in.ts"
    with av.open(str(source), "w") as container:
        pictures, data = container.add_stream("mpeg2video", rate=25), container.add_mux_stream("klv")
        pictures.width, pictures.height, pictures.pix_fmt = 48, 32, "yuv420p"
        for number in range(12):
            image = av.VideoFrame.from_ndarray(picture(number, 48, 32), "rgb24").reformat(format="yuv420p")
            image.pts = number
            container.mux(pictures.encode(image))
            packet = av.Packet(b"\x06\x0e\x2b\x34" + bytes([number]) * 20)
            packet.stream, packet.pts, packet.time_base = data, number, Fraction(1, 25)
            container.mux(packet)
        container.mux(pictures.encode(None))
    target, _ = restored(source, model, "out.ts", codec="x264")
    checks = {check.name: check for check in verify(source, target)}
    assert checks["stream 1 bytes"].found == "12 packets of data, identical"
    told: list[str] = []
    other = FilmTarget(source.with_name("out.mkv"))
    restore_film(FilmFile(source), other, model, Wishes(preset="12"), progress, told.append)
    assert told == ["streams: video, data klv became video"]


def test_streams_that_the_container_cannot_hold(make_clip, model: Model):
    source = make_clip(subtitles=True, font=b"font")
    with pytest.raises((UsageError, OutputError), match="mp4"):
        restored(source, model, "out.mp4", tell=pytest.fail)
