"""Train the language model: ``python -m golden.models.lm.train``. Needs the extra ``train``.

One thread, fixed seeds and a fixed order of files make a run repeatable on one machine with one
release of PyTorch and Python; on others the last digits differ, and with them the weights.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from golden.base.errors import InputError, ToolError

if TYPE_CHECKING:
    import numpy as np

    from golden.models.lm.tokens import Tokens

STEPS = 3000
DECAY = 800
BATCH = 16
PEAK_RATE = 3e-3
WARM_UP = 100
SEED = 0
SAVE_EVERY = 250
REPORT_EVERY = 25


def learning_rate(step: int, steps: int, decay: int) -> float:
    """Return the rate of a step: up, level, and down to nothing over the last ``decay`` steps."""
    return PEAK_RATE * min(1.0, (step + 1) / WARM_UP, (steps - step) / decay)


def batch_windows(tokens: "Tokens", step: int, context: int) -> "np.ndarray":
    """Return the windows (BATCH, context + 1) of a step, drawn from all of the text."""
    import numpy as np

    per_epoch = (len(tokens) - context - 1) // context // BATCH
    epoch, place = divmod(step, per_epoch)
    rng = np.random.default_rng([SEED, epoch])
    offset = int(rng.integers(context))
    chosen = rng.permutation((len(tokens) - offset - 1) // context)[place * BATCH :][:BATCH]
    return np.stack([tokens[(at := offset + context * c) : at + context + 1] for c in chosen])


def make_optimizer(model: Any) -> Any:
    """Return AdamW; only matrices decay."""
    import torch  # pyright: ignore[reportMissingImports]

    matrices = [p for p in model.parameters() if p.ndim == 2]
    gains = [p for p in model.parameters() if p.ndim != 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": gains, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=PEAK_RATE, betas=(0.9, 0.95))


def train_step(model: Any, optimizer: Any, windows: "np.ndarray", rate: float) -> float:
    """Take one step and return the loss (nats per token) before it."""
    import torch  # pyright: ignore[reportMissingImports]

    tokens = torch.from_numpy(windows)
    for group in optimizer.param_groups:
        group["lr"] = rate
    # Products in bfloat16 take less than half the time; weights and sums stay float32.
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(tokens[:, :-1])
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), tokens[:, 1:].flatten())
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


def save_checkpoint(model: Any, path: Path) -> None:
    """Write the weights as float16 safetensors."""
    import numpy as np
    from safetensors.numpy import save

    from golden.base.files import write_whole

    tensors = {name: p.detach().numpy().astype(np.float16) for name, p in model.named_parameters()}
    write_whole(path, save(tensors))


def train(
    folder: Annotated[Path, typer.Option("-o", "--out", help="Where the results go.")] = Path(
        "build/lm"
    ),
    steps: Annotated[int, typer.Option(help="Steps of 4096 tokens.")] = STEPS,
    decay: Annotated[int, typer.Option(help="How many steps the rate falls at the end.")] = DECAY,
    resume: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Go on from this state-*.pt.")
    ] = None,
) -> None:
    """Train on the standard library's text; write tokenizer.json and checkpoint.safetensors.

    Takes about an hour on one core. A state is saved every 250 steps; --resume goes on from one.
    Until the rate falls, the steps are the same however many there are to be, so a run may be
    made longer or shorter from such a state.
    """
    if not 1 <= decay <= steps:
        raise InputError(f"steps and decay must be 1 <= decay <= steps, got {steps} and {decay}")
    try:
        import torch  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise ToolError("PyTorch is missing: pip install -e '.[train]'") from None
    from golden.base.files import make_folder
    from golden.models.lm.config import CONFIG
    from golden.models.lm.corpus import documents
    from golden.models.lm.tokens import encode, train_tokenizer
    from golden.models.lm.torch_model import LanguageModel

    make_folder(folder)
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    texts = documents(held_out=False)
    tokenizer = train_tokenizer(texts)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    tokens = encode(tokenizer, texts)
    model = LanguageModel(CONFIG)
    optimizer = make_optimizer(model)
    first = 0
    if resume:
        state = torch.load(resume, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]
    mean = 0.0
    for step in range(first, steps):
        windows = batch_windows(tokens, step, CONFIG.context)
        mean += train_step(model, optimizer, windows, learning_rate(step, steps, decay))
        done = step + 1
        if done % REPORT_EVERY == 0:
            print(f"step {done}/{steps}: loss {mean / REPORT_EVERY:.4f}", flush=True)
            mean = 0.0
        if done % SAVE_EVERY == 0 or done == steps:
            save_checkpoint(model, folder / "checkpoint.safetensors")
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save(state | {"step": done}, folder / f"state-{done}.pt")


if __name__ == "__main__":
    typer.run(train)
