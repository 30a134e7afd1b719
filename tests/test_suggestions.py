import pytest

from relume.suggestions import did_you_mean

OPTIONS = [
    "-s",
    "--scale",
    "--shard",
    "--strength",
    "--resume",
    "--lock-colours",
    "--skip-existing",
    "--suffix",
]
MODELS = ["compact-medium", "compact-medium-x4", "compact-small", "compact-small-x2", "srgan", "srgan-x4"]


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("--scal", OPTIONS, "--scale"),
        ("--sclae", OPTIONS, "--scale"),
        ("--lock-colors", OPTIONS, "--lock-colours"),
        ("--res", OPTIONS, "--resume"),
        ("--sharpen", OPTIONS, None),
        ("--denoise", OPTIONS, None),
        ("-z", OPTIONS, None),
        ("--s", OPTIONS, "-s"),
        ("compact", MODELS, "compact-medium or compact-small"),
        ("compact-smal", MODELS, "compact-small"),
        ("srgn-x4", MODELS, "srgan-x4"),
        ("esrgan-x8", MODELS, "srgan-x4"),
        ("realcugan", MODELS, None),
    ],
)
def test_what_is_near_is_suggested_and_nothing_else(word: str, known: list[str], meant: str | None):
    assert did_you_mean(word, known) == (meant and f"did you mean {meant}?")
