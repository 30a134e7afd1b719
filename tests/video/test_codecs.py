import pytest

from relume.video.codecs import choose_encoding


@pytest.mark.parametrize(
    ("codec", "source", "chosen"),
    [
        ("av1", "yuv422p", "yuv420p10le"),
        ("x264", "yuv422p10le", "yuv422p10le"),
        ("x265", "yuv444p", "yuv444p"),
        ("ffv1", "yuv422p", "yuv422p"),
        ("ffv1", "yuv440p", "yuv440p"),
        ("ffv1", "gray", "gray"),
        ("ffv1", "gbrp16le", "gbrp16le"),
        ("prores", "yuv420p", "yuv422p10le"),
        ("pictures", "yuv420p", "gbrp"),
        ("pictures", "yuv420p10le", "gbrp16le"),
        ("pictures", "gray10le", "gray16le"),
        ("y4m", "gbrp", "yuv444p"),
        ("y4m", "yuv440p", "yuv444p"),
        ("y4m", "yuv422p10le", "yuv422p10le"),
    ],
)
def test_the_layout_keeps_what_it_can(codec: str, source: str, chosen: str):
    assert choose_encoding(source, codec=codec, threads=1).pix_fmt == chosen
