"""What the language model reads: documents on either side, tokens, windows."""

import numpy as np
import pytest

from golden.base.errors import InputError
from golden.models.lm.config import CONFIG
from golden.models.lm.corpus import documents, held_out_windows, is_held_out
from golden.models.lm.tokens import END, encode, load_tokenizer, windows


def test_no_document_is_on_both_sides() -> None:
    training, held_out = documents(held_out=False), documents(held_out=True)
    assert len(training) > 10 * len(held_out) > 100
    assert not set(filter(str.strip, training)) & set(filter(str.strip, held_out))
    # By name alone, so another Python has the same files on either side.
    names = ("ast.py", "http/client.py", "textwrap.py", "topics/with")
    assert [is_held_out(name) for name in names] == [True, True, False, False]
    assert sum(is_held_out(f"{i}.py") for i in range(2000)) == pytest.approx(100, abs=40)


def test_tokens_give_the_text_back() -> None:
    tokenizer = load_tokenizer()
    text = "def f(x):\n    return 'grüße' + x  # 你好\n"
    tokens = encode(tokenizer, [text, ""])
    end = tokenizer.token_to_id(END)
    assert tokens[-2:].tolist() == [end, end]
    assert tokenizer.decode(tokens[:-2].tolist()) == text
    assert tokenizer.get_vocab_size() == CONFIG.vocabulary
    assert windows(np.arange(10), 4).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize("count", [0, 10**7])
def test_windows_that_are_not_there_are_refused(count: int) -> None:
    with pytest.raises(InputError, match="windows must be from 1"):
        held_out_windows(0, count)
