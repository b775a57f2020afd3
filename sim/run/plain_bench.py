"""A bench in plain Verilog: words from files into an engine, and what comes out compared."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateware.emit import CLOCK, RESET
from sim.harness.harness import Ports

BENCH = "testbench.v"
RESET_CYCLES = 4


@dataclass(frozen=True, kw_only=True)
class Feed:
    """Words of a file for an input stream, after those of the feed before."""

    port: str
    file: str
    count: int


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Words of a file that answer requests.

    Parameters
    ----------
    request, answer : str
        Streams.
    file : str
    rows, columns, width : int
        Of the words.
    row, column : (int, int, int)
        Offset, bits and number of the fields of a request.
    """

    request: str
    answer: str
    file: str
    rows: int
    columns: int
    width: int
    row: tuple[int, int, int]
    column: tuple[int, int, int]


def bench(
    top: str,
    ports: Ports,
    feeds: Sequence[Feed],
    memories: Sequence[Memory],
    beats: int,
    flags: int,
    limit: int,
) -> str:
    """Return a bench for a design.

    Parameters
    ----------
    top : str
        Its top module.
    ports : Ports
    feeds : sequence of Feed
    memories : sequence of Memory
    beats : int
        How many must come.
    flags : int
        What the flags must be in the end.
    limit : int
        Cycles after which it gives up.
    """
    parts = [_HEAD.format(top=top, bench=BENCH, reset=RESET, clock=CLOCK, cycles=RESET_CYCLES)]
    parts += [_port(ports, name) for name in ports.width if ports.width[name]]
    before = "1'b1"
    for feed in feeds:
        width = ports.width[f"{feed.port}__payload"]
        parts.append(_FEED.format(before=before, width=width, **vars(feed)))
        before = f"{feed.port}_at == {feed.count}"
    parts += [_memory(ports, memory) for memory in memories]
    others = [name for name in ports.inputs if ports.width[name]]
    parts += [f"  assign {name} = 0;\n" for name in others]
    width = ports.width["o__payload"]
    parts.append(_CHECK.format(width=width, beats=beats, flags=flags, limit=limit))
    names = [name for name, bits in ports.width.items() if bits]
    wires = ",\n    ".join(f".{name}({name})" for name in (CLOCK, RESET, *names))
    parts.append(f"  {top} dut (\n    {wires}\n  );\nendmodule\n")
    return "".join(parts)


def _port(ports: Ports, name: str) -> str:
    width = ports.width[name]
    return f"  wire {f'[{width - 1}:0] ' if width > 1 else ''}{name};\n"


def _memory(ports: Ports, memory: Memory) -> str:
    offset, bits, count = memory.row
    at, column_bits, _ = memory.column
    request = f"{memory.request}__payload"
    column = f"{request}[{at} +: {column_bits}]" if column_bits else "0"
    return _MEMORY.format(
        request=memory.request,
        answer=memory.answer,
        file=memory.file,
        words=memory.rows * memory.columns,
        rows=memory.rows,
        columns=memory.columns,
        width=memory.width,
        whole=ports.width[f"{memory.answer}__payload"],
        count=count,
        row=f"{request}[{offset} + {bits} * {memory.answer}_n +: {bits}]" if bits else "0",
        column=column,
    )


_HEAD = """\
// Runs {top} on the words of the files beside it, and compares what comes out:
//   iverilog -g2001 -o bench {bench} {top}.v && vvp bench
`timescale 1ns / 1ps
module testbench;
  reg {clock} = 0, {reset} = 1;
  integer cycle = 0;
  always #5 {clock} = !{clock};
  always @(posedge {clock}) begin
    cycle <= cycle + 1;
    if (cycle == {cycles}) {reset} <= 0;
  end

"""
_FEED = """
  // {file} into {port}, when what comes before is through.
  reg [{width}-1:0] {port}_words [0:{count}-1];
  integer {port}_at = 0;
  initial $readmemh("{file}", {port}_words);
  assign {port}__valid = !rst && {before} && {port}_at < {count};
  assign {port}__payload = {port}__valid ? {port}_words[{port}_at] : 0;
  always @(posedge clk)
    if ({port}__valid && {port}__ready) {port}_at <= {port}_at + 1;
"""
_MEMORY = """
  // A memory with {file}: it answers {request}, one request a cycle.
  reg [{width}-1:0] {answer}_words [0:{words}-1];
  reg {answer}_there = 0;
  reg [{whole}-1:0] {answer}_word = 0;
  integer {answer}_n, {answer}_row, {answer}_column;
  initial $readmemh("{file}", {answer}_words);
  assign {answer}__valid = {answer}_there;
  assign {answer}__payload = {answer}_word;
  assign {request}__ready = !{answer}_there || {answer}__ready;
  always @(posedge clk)
    if (rst) {answer}_there <= 0;
    else if ({request}__ready) begin
      {answer}_there <= {request}__valid;
      {answer}_column = {column};
      for ({answer}_n = 0; {answer}_n < {count}; {answer}_n = {answer}_n + 1) begin
        {answer}_row = {row};
        {answer}_word[{width} * {answer}_n +: {width}] <=
          {answer}_row < {rows} ? {answer}_words[{columns} * {answer}_row + {answer}_column] : 0;
      end
    end
"""
_CHECK = """
  // o.hex is what must come; o_mask.hex says which bits count.
  reg [{width}-1:0] o_words [0:{beats}-1];
  reg [{width}-1:0] o_masks [0:{beats}-1];
  integer o_at = 0, wrong = 0;
  initial $readmemh("o.hex", o_words);
  initial $readmemh("o_mask.hex", o_masks);
  assign o__ready = 1;
  always @(posedge clk)
    if (!rst && o__valid) begin
      if (((o__payload ^ o_words[o_at]) & o_masks[o_at]) !== 0) begin
        wrong = wrong + 1;
        if (wrong == 1)
          $display("beat %0d: expected %h, got %h", o_at, o_words[o_at], o__payload);
      end
      o_at = o_at + 1;
      if (o_at == {beats}) begin
        if (flags !== {flags}) begin
          wrong = wrong + 1;
          $display("flags: expected %b, got %b", {flags}, flags);
        end
        if (wrong == 0) $display("PASS: %0d beats in %0d cycles", o_at, cycle);
        else $display("FAIL: %0d of %0d beats and the flags are wrong", wrong, o_at);
        $finish;
      end
    end
  always @(posedge clk)
    if (cycle == {limit}) begin
      $display("FAIL: %0d of {beats} beats after %0d cycles", o_at, cycle);
      $finish;
    end

"""
