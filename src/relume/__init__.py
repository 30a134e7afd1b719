"""relume makes low-resolution or blurred pictures and films sharp again.

>>> import relume
>>> model = relume.open_model("compact-small-x4")
>>> sharp = model("photo.jpg")              # a path, a PIL picture or a NumPy array; the same kind comes back
>>> relume.upscale("photo.jpg", "photo-x4.png")
>>> relume.deblur("photo.jpg", "photo-deblurred.png")

Importing relume is cheap: everything heavy is imported when first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relume.model import Model, open_model
    from relume.shortcuts import deblur, upscale

__version__ = "0.1.0"

__all__ = ["Model", "__version__", "deblur", "open_model", "upscale"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from relume import model, shortcuts

        return getattr(shortcuts if name in {"deblur", "upscale"} else model, name)
    raise AttributeError(f"module 'relume' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
