"""A batch in parts, for several machines that know nothing of each other."""

import hashlib
import re
from dataclasses import dataclass
from typing import Self

from relume.errors import UsageError
from relume.jobs.naming import Job


@dataclass(frozen=True)
class Shard:
    """One of so many parts. A picture belongs to a part by the name of its result, whatever else there is.

    Attributes:
        index: from 1.
        count: number of parts.
    """

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """``2/5`` is the second of five.

        Raises:
            UsageError: if it is none.
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise UsageError("--shard is no part of a whole", got=text, allowed="1/5 to 5/5, for example")
        return cls(int(found[1]), int(found[2]))

    def __contains__(self, job: Job) -> bool:
        name = job.target.relative_to(job.base).as_posix()
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8]) % self.count == self.index - 1

    def __str__(self) -> str:
        return f"{self.index}of{self.count}"
