"""The chip's Verilog against the golden machine: the whole memory, byte by byte."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateware.points.chip import CHIPS
from golden.base.errors import ToolError
from golden.chip.compiler import compile_decoder
from golden.chip.decoder import Decoder, DecoderShape
from golden.chip.decoder_file import read_decoder
from golden.chip.instruction import BYTES, Op
from golden.chip.machine import Machine
from golden.chip.models import DECODER
from sim.chip.generate import Generated, GenerateOptions, built, generate, prepare
from sim.chip.layer import run_layer, summary
from sim.harness.chip_run import MemoryModel, Start, Task, run_chip, run_chips
from sim.kit.random_decoder import TINY, random_decoder
from tests.llama_folder import CONFIG, compile_folder, invoke, made_tensors, write_folder

NAME = "chip_tiny"
STALLS = MemoryModel(stall=0.3, latency=3, seed=5)
REFRESH = MemoryModel(latency=60, interval=50, pause=20, gap=1)


def made(decoder: Decoder, options: GenerateOptions) -> Generated:
    """Return what a chip generates."""
    return generate(prepare(decoder, options))


@pytest.mark.parametrize(
    ("shape", "memory"),
    [
        (TINY, MemoryModel()),
        (TINY, STALLS),
        (replace(TINY, heads=4, kv_heads=2, vocabulary=27), REFRESH),
        (replace(TINY, kv_heads=1, layers=1, hidden=20, inner=9), STALLS),
    ],
    ids=["free", "stalls", "grouped_refresh", "odd_stalls"],
)
def test_made_up_decoders(shape: DecoderShape, memory: MemoryModel) -> None:
    # Linear layers in all forms, but for one case.
    decoder = random_decoder(np.random.default_rng(7), shape, forms=memory != REFRESH)
    options = GenerateOptions(prompt=[3, 1, 4], count=6, chip=NAME, memory=memory, check_all=True)
    found = made(decoder, options)
    assert found.first_wrong == ""
    assert (found.mismatches, found.other_bytes) == (0, 0)
    assert found.run
    assert found.run.fault == "none"
    assert len(found.run.chosen) == 6
    assert found.tokens[3:] == [one.token for one in found.run.chosen]


def test_a_context_of_one() -> None:
    decoder = random_decoder(np.random.default_rng(8), replace(TINY, context=1))
    found = made(decoder, GenerateOptions(prompt=[5], count=1, chip=NAME))
    assert (found.mismatches, found.other_bytes, len(found.tokens)) == (0, 0, 2)


def test_a_whole_layer() -> None:
    decoder = random_decoder(np.random.default_rng(3))
    found = run_layer(decoder, 1, GenerateOptions(prompt=[2, 7, 1], count=1, chip=NAME))
    assert found.other_bytes == 0
    made = {one.op for one in found.vectors}
    assert made >= {Op.LINEAR, Op.ADD, Op.ROTATE, Op.POWERS, Op.GATE}
    assert all(one.name.startswith("layer.1.") for one in found.vectors)
    figures = summary(found)
    assert figures["numbers"] > 3 * len(figures["vectors"])
    assert figures["cycles"] > 0


def test_the_end_token_ends() -> None:
    decoder = random_decoder(np.random.default_rng(0))
    options = GenerateOptions(prompt=[1, 2, 3], count=6, chip=NAME)
    whole = made(decoder, options).tokens
    last = next(token for token in whole[3:] if token != whole[3])
    ended = made(decoder, replace(options, end_token=last))
    assert ended.tokens == whole[: whole.index(last, 3) + 1]
    assert (ended.mismatches, ended.other_bytes) == (0, 0)
    assert len(ended.logits) == len(ended.tokens) - 3


def test_faults_end_a_run() -> None:
    decoder = random_decoder(np.random.default_rng(1))
    spec = CHIPS[NAME]
    compiled = compile_decoder(decoder, spec.shape)
    image = compiled.with_tokens([1, 2, 3])
    start = Start(program=compiled.program, tokens=compiled.tokens, known=3, limit=5)

    def fault(image: bytes, memory: MemoryModel) -> str:
        found = run_chip(built(NAME), spec, image, start, memory, cycles=1 << 20)
        return found.fault

    fails = MemoryModel(fails_at=40)
    assert fault(image, fails) == "memory"
    # After it the next run is a clean one.
    again = run_chip(built(NAME), spec, image, replace(start, again=1), fails, cycles=1 << 20)
    machine = Machine(spec.shape, image)
    for _ in range(start.limit):
        machine.run(compiled.program, start.known)
    assert again.fault == "none"
    assert again.memory == machine.memory.tobytes()
    no_instruction = bytearray(image)
    no_instruction[compiled.program + 5 * BYTES] = 200
    assert fault(bytes(no_instruction), MemoryModel()) == "instruction"
    infinite = bytearray(image)
    at = compiled.regions["embedding"][0] + 2 * 16  # of token 1
    infinite[at : at + 2] = (0x7C00).to_bytes(2, "little")
    assert fault(bytes(infinite), MemoryModel()) == "number"


def first_run(**run: int) -> tuple[bytes, Start, bytes]:
    """Return an image of a made-up decoder, what a run of it is told, and memory behind it."""
    spec = CHIPS[NAME]
    compiled = compile_decoder(random_decoder(np.random.default_rng(1)), spec.shape)
    image = compiled.with_tokens([1, 2, 3])
    start = Start(program=compiled.program, tokens=compiled.tokens, known=3, limit=5, **run)
    machine = Machine(spec.shape, image)
    for _ in range(start.limit):
        machine.run(compiled.program, start.known)
    return image, start, machine.memory.tobytes()


HANGS = [MemoryModel(hangs_at=1), MemoryModel(hangs_at=40), MemoryModel(write_hangs_at=3)]


@pytest.mark.parametrize("hangs", HANGS, ids=["fetch", "read", "write"])
def test_a_memory_that_hangs_ends_a_run(hangs: MemoryModel) -> None:
    """Then what it owes is dropped; a run begun before waits for that, and ends if in vain."""
    spec = CHIPS[NAME]
    image, start, expected = first_run()
    cycles = run_chip(built(NAME), spec, image, start, MemoryModel(), cycles=1 << 20).cycles
    limit = spec.hang_cycles
    again = replace(start, again=1)
    late, too_late = (replace(hangs, hangs_for=n * limit // 2) for n in (3, 5))
    kinds = ((start, hangs), (again, late), (again, too_late))
    tasks = [Task(image=image, start=s, memory=m, cycles=4 * limit) for s, m in kinds]
    found, second, third = run_chips(built(NAME), spec, tasks)
    assert (found.fault, second.fault, third.fault) == ("hang", "none", "hang")
    assert limit < found.cycles < limit + cycles
    assert second.memory == expected


def test_a_host_stops_a_run() -> None:
    """The next one, which the host asks for until it ends, is whole."""
    image, start, expected = first_run(stop_at=1000)
    one, two = (
        Task(image=image, start=replace(start, again=n), memory=MemoryModel(), cycles=1 << 20)
        for n in (0, 1)
    )
    stopped, again = run_chips(built(NAME), CHIPS[NAME], [one, two])
    assert stopped.fault == "stopped"
    assert 1000 < stopped.cycles < 2000
    assert (again.fault, again.memory) == ("none", expected)


def test_errors_of_writes_end_a_run() -> None:
    """That of the last one, a token, too."""
    spec = CHIPS[NAME]
    image, start, expected = first_run()
    found = run_chip(built(NAME), spec, image, start, MemoryModel(write_fails_at=5), cycles=1 << 20)
    assert found.fault == "memory"
    assert found.memory != expected
    one = replace(start, known=1, limit=1)
    writes = 1
    while True:
        fails = MemoryModel(write_fails_at=writes)
        found = run_chip(built(NAME), spec, image, one, fails, cycles=1 << 20)
        if found.chosen:
            break
        assert found.fault == "memory"
        writes += 1
    assert found.fault == "memory", "the token"


def test_a_reset_at_any_cycle_is_followed_by_a_clean_run() -> None:
    resets(97)


@pytest.mark.slow
def test_a_reset_at_every_cycle_is_followed_by_a_clean_run() -> None:
    resets(1)


def resets(stride: int) -> None:
    """Reset a short run at every so many cycles."""
    spec = CHIPS[NAME]
    shape = replace(TINY, layers=1, heads=1, kv_heads=1, vocabulary=8, inner=4)
    compiled = compile_decoder(random_decoder(np.random.default_rng(3), shape), spec.shape)
    image = compiled.with_tokens([1])
    start = Start(program=compiled.program, tokens=compiled.tokens, known=1, limit=1)
    clean = run_chip(built(NAME), spec, image, start, MemoryModel(latency=3), cycles=1 << 20)
    tasks = [
        Task(
            image=image,
            start=replace(start, reset_at=n),
            memory=MemoryModel(latency=3),
            cycles=3 * clean.cycles,
        )
        for n in range(1, clean.cycles, stride)
    ]
    for task, run in zip(tasks, run_chips(built(NAME), spec, tasks), strict=True):
        wrong = f"reset at {task.start.reset_at}"
        assert (run.fault, run.memory) == ("none", clean.memory), wrong
        assert run.cycles == task.start.reset_at + clean.cycles, wrong


def test_a_run_that_is_not_done_in_time_is_told() -> None:
    decoder = random_decoder(np.random.default_rng(1))
    spec = CHIPS[NAME]
    compiled = compile_decoder(decoder, spec.shape)
    start = Start(program=compiled.program, tokens=compiled.tokens, known=1, limit=5)
    with pytest.raises(ToolError, match="not done at position 0, cycle 1000"):
        run_chip(built(NAME), spec, compiled.memory, start, MemoryModel(), cycles=1000)


def language_model(chip: str, prompt: list[int], count: int, memory: MemoryModel) -> None:
    options = GenerateOptions(chip=chip, prompt=prompt, count=count, memory=memory)
    found = made(read_decoder(DECODER), options)
    assert (found.mismatches, found.other_bytes) == (0, 0)
    assert found.logits.shape == (count, 2048)
    golden = made(read_decoder(DECODER), replace(options, simulator="golden"))
    assert found.tokens == golden.tokens


def test_the_language_model_writes_sixteen_tokens() -> None:
    language_model("chip_edge", [293, 494], 16, MemoryModel())


@pytest.mark.slow
def test_the_largest_chip_writes_sixteen_tokens() -> None:
    language_model("chip_large", [293, 494], 16, MemoryModel())


@pytest.mark.slow
def test_the_language_model_writes_its_whole_context() -> None:
    language_model("chip_large", [293], 256, MemoryModel(stall=0.05))


def test_every_logit_of_a_folder_is_equal(tmp_path: Path) -> None:
    """Grouped queries, three parts of BF16: out of the image on disk, on its chip."""
    write_folder(tmp_path / "model", CONFIG, made_tensors(CONFIG, "BF16"))
    compiled = compile_folder(tmp_path / "model")
    figures, dump = tmp_path / "run.json", tmp_path / "run.npz"
    prompt = ("--prompt-ids", "3,141,592", "--tokens", 4)
    arguments = ("generate", "--model", compiled, *prompt)
    said = invoke(*arguments, "--json", figures, "--dump", dump)
    run = json.loads(figures.read_text())
    assert (run["chip"], run["fault"], run["mismatches"]) == (NAME, "none", 0)
    assert (run["bytes_that_differ"], run["logits"]) == (0, 4000)
    with np.load(dump) as arrays:
        np.testing.assert_array_equal(arrays["logits"], arrays["logits_golden"])
        assert np.ptp(arrays["logits"], axis=1).min() > 0.5
    # Without a tokenizer tokens are numbers; the golden machine alone gives the same.
    text = " ".join(map(str, run["tokens"]))
    assert said.stdout.startswith(text)
    assert invoke(*arguments, "--simulator", "golden").stdout.startswith(text)


@pytest.mark.slow
def test_every_logit_of_a_larger_folder_is_equal(tmp_path: Path) -> None:
    sizes = {"hidden_size": 256, "num_hidden_layers": 3, "num_attention_heads": 8}
    sizes |= {"head_dim": 32, "intermediate_size": 400, "max_position_embeddings": 64}
    config = CONFIG | sizes
    write_folder(tmp_path / "model", config, made_tensors(config, "BF16"))
    out = compile_folder(tmp_path / "model", chip="chip_edge")
    arguments = ("--prompt-ids", "3,141,592", "--tokens", 16, "--check-all")
    run = json.loads(invoke("generate", "--model", out, *arguments, "--json", "-").stdout)
    assert (run["mismatches"], run["bytes_that_differ"], run["logits"]) == (0, 0, 16000)


def test_icarus_writes_the_same() -> None:
    """The second simulator, with another memory that pauses: memory, tokens and logits."""
    shape = replace(TINY, layers=1, context=4)
    decoder = random_decoder(np.random.default_rng(5), shape)
    options = GenerateOptions(
        prompt=[9], count=1, chip=NAME, simulator="icarus", memory=MemoryModel(stall=0.1)
    )
    said: list[int] = []
    found = generate(prepare(decoder, options), said=said.append)
    assert found.run
    assert (found.run.fault, found.mismatches, found.other_bytes) == ("none", 0, 0)
    assert [9, *said] == found.tokens
    assert [one.position for one in found.run.chosen] == [1]
    assert found.per_token("read_bytes")[0] > 1000
