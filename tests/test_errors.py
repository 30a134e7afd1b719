from relume.errors import InputError, OutOfMemory, OutputError, RelumeError, TrainingDiverged, UsageError


def test_an_error_says_what_got_allowed_and_what_to_do_in_one_line():
    error = InputError("cannot read a.txt", got="text", allowed=("PNG", "JPEG"), hint="convert it first")
    assert str(error) == "cannot read a.txt; got text; allowed: PNG, JPEG; convert it first"
    assert str(InputError("cannot read a.txt")) == "cannot read a.txt"


def test_exit_codes_are_those_of_the_docstring():
    kinds = {UsageError: 2, InputError: 65, TrainingDiverged: 70, OutOfMemory: 71, OutputError: 74}
    assert {kind: kind.exit_code for kind in kinds} == kinds
    assert all(issubclass(kind, RelumeError) for kind in kinds)
