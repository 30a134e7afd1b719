from itertools import chain
from pathlib import Path

import pytest

from relume.errors import UsageError
from relume.jobs.naming import Job
from relume.jobs.shards import Shard


def jobs(base: str) -> list[Job]:
    return [Job(Path(f"{i}.png"), Path(base, "sub", f"{i}-x4.png"), Path(base)) for i in range(300)]


def test_every_job_is_in_one_shard_wherever_the_folder_is_mounted():
    shards = [Shard(index, 3) for index in (1, 2, 3)]
    parts = [[job.source for job in jobs("out") if job in shard] for shard in shards]
    assert sorted(chain(*parts)) == sorted(job.source for job in jobs("out"))
    assert all(60 < len(part) < 140 for part in parts)
    assert parts[0] == [job.source for job in jobs("/mnt/other") if job in shards[0]]


@pytest.mark.parametrize("text", ["", "2", "0/2", "3/2", "-1/2", "1/0", "a/b", "1/2/3"])
def test_what_is_no_shard(text: str):
    with pytest.raises(UsageError, match="--shard is no part of a whole"):
        Shard.parse(text)


def test_a_shard_is_written_as_it_is_read():
    assert str(Shard.parse("2/5")) == "2of5"
