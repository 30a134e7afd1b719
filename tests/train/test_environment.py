import json
import re

import torch

import relume
from relume.machine import processor_name
from relume.train.crops import find_data
from relume.train.environment import environment
from relume.train.state import TrainState


def test_it_says_what_the_run_was_made_with(recipe, photos):
    (photos / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    state = TrainState.start(recipe, torch.device("cpu"), {"vgg19": "caffe, SHA-256 1234"})
    found = environment(state, find_data(recipe)())
    assert found["relume"] == relume.__version__
    assert found["versions"]["torch"] == torch.__version__
    assert (found["processes"], found["vgg19"]) == (1, "caffe, SHA-256 1234")
    assert re.fullmatch(rf"\d+ threads? of {re.escape(processor_name())}", found["device"])
    assert found["num_pictures"] == 3
    assert list(found["skipped"]) == [str(photos / "broken.png")]
    assert json.loads(json.dumps(found)) == found
