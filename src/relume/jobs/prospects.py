"""What is to be done for pictures, by the headers of their files."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

from relume.errors import InputError, OutOfMemory
from relume.image import read_header
from relume.jobs.naming import Job
from relume.jobs.pipeline import Failed
from relume.model import Model, Options
from relume.workload import Workload


@dataclass(frozen=True)
class Prospect:
    """A picture that is to be restored.

    Attributes:
        job: input and output.
        size: rows and columns of the picture.
        out_size: rows and columns of the result.
        num_frames: of an animation; 1 for a picture.
        workload: what is to be done, for each frame.
        scale: the model's.
    """

    job: Job
    size: tuple[int, int]
    out_size: tuple[int, int]
    num_frames: int
    workload: Workload
    scale: int

    @property
    def restored_px(self) -> float:
        """What the time of restoring goes by, see :func:`restored_px`."""
        return restored_px(self.workload.network_px, self.out_px, self.scale)

    @property
    def px(self) -> int:
        """Pixels of the picture."""
        return self.size[0] * self.size[1]

    @property
    def out_px(self) -> int:
        """Pixels of the result."""
        return self.out_size[0] * self.out_size[1]


def restored_px(network_px: int, out_px: int, scale: int) -> float:
    """Pixels that the network sees; where its result is made much larger, as many as would give that size."""
    return max(network_px, out_px / scale**2)


def foresee(
    jobs: Sequence[Job], model: Model, max_pixels: int, **options: Unpack[Options]
) -> tuple[list[Prospect], list[Failed]]:
    """Look at the headers of all files.

    Args:
        jobs: the pictures.
        model: what restores them.
        max_pixels: files that announce more cannot be restored.
        **options: for :meth:`relume.model.Model.restore_image`.

    Returns:
        The pictures that can be restored, as far as one can tell, and those that cannot.

    Raises:
        UsageError: if an option is not allowed.
    """
    found: list[Prospect] = []
    failed: list[Failed] = []
    for job in jobs:
        try:
            found.append(_prospect(job, model, max_pixels, options))
        except (InputError, OutOfMemory) as error:
            failed.append(Failed(job, error))
    return found, failed


def _prospect(job: Job, model: Model, max_pixels: int, options: Options) -> Prospect:
    header = read_header(job.source, max_pixels=max_pixels)
    size = (header.height, header.width)
    out_size = model.size_of(size, **options)
    return Prospect(job, size, out_size, header.num_frames, model.workload(size, **options), model.card.scale)
