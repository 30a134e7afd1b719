"""Pictures that one thread makes, part by part, while another one writes them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Condition
from typing import Any, TypeVar

from relume.image.frames import Animation
from relume.image.picture import Levels, Picture, Strips

T = TypeVar("T")
Part = Picture | Levels


class Handover:
    """Passes the parts of a picture, or the frames of an animation, from one thread to another.

    A part is made when the one before it was taken: no more than two are there at a time.

    Args:
        image: what is made while it is written.
    """

    def __init__(self, image: Strips | Animation):
        self._parts = image.parts if isinstance(image, Strips) else image.frames
        self._image = image
        self._changed = Condition()
        self._part: Part | None = None
        self._ended, self._refused = False, False
        self._error: BaseException | None = None

    def make(self, begin: Callable[[], T]) -> T:
        """Make all parts, in the caller's thread; what goes wrong there is for whoever writes to raise.

        Args:
            begin: makes another thread :meth:`receive`.

        Returns:
            What ``begin`` gave.
        """
        try:
            begun = begin()
            self._make_parts()
        except BaseException as error:  # Ctrl-C: the writing must end, too
            self._error = error
            raise
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
        return begun

    def receive(self, write: Callable[[Strips | Animation], None]) -> None:
        """Write the picture in another thread than makes it; if that fails, no more parts are made."""
        parts: Iterator[Any] = iter(self._take, None)
        image = self._image
        try:
            write(replace(image, parts=parts) if isinstance(image, Strips) else replace(image, frames=parts))
        finally:
            with self._changed:
                self._refused = True
                self._changed.notify_all()

    def _make_parts(self) -> None:
        try:
            while not self._refused and (part := next(self._parts, None)):
                self._give(part)
                del part  # or it stays while the next one is made
        except Exception as error:
            self._error = error

    def _give(self, part: Part) -> None:
        with self._changed:
            self._part = part
            del part
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._part is None or self._refused)

    def _take(self) -> Part | None:
        with self._changed:
            self._changed.wait_for(lambda: self._part is not None or self._ended)
            if self._error is not None:
                raise self._error
            part, self._part = self._part, None
            self._changed.notify_all()
            return part
