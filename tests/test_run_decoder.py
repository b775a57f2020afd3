"""``kllm run --decoder-layer``: what it refuses, before anything is built."""

import pytest
from typer.testing import CliRunner

import kllm.app
from golden.base.errors import InputError


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("4",), "the decoder's layers are 0 to 3, got 4"),
        (("-1",), "the decoder's layers are 0 to 3, got -1"),
        (("0", "--tokens", "0"), "the prompt is empty"),
        (("0", "--bits-a", "8", "--symmetric"), "leave out --bits-a, --symmetric"),
        (("0", "--model", "lm"), "leave out --model"),
    ],
)
def test_refuses(options: tuple[str, ...], text: str) -> None:
    result = CliRunner().invoke(kllm.app.build_app(), ["run", "--decoder-layer", *options])
    assert isinstance(result.exception, InputError)
    assert text in str(result.exception)
