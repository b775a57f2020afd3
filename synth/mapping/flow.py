"""The one synthesis flow: from RTLIL to the cells of a library, for least area.

Every number that is compared comes out of this flow. Adders become ripple chains of the
library's full-adder cells, which ABC never finds by itself; comparisons become carry chains in
gates; ABC maps the rest. Each shared module is synthesised once and stays a module.
"""

from collections.abc import Sequence

from synth.libraries.functions import full_adder
from synth.libraries.liberty import Library

# Measured on lookup lanes with 9-bit entries, GE each, OSU 0.18 um: 161 as it is, 165 with ABC's
# `map -a` in place of `&nf`, 167 with Yosys' own adders, 181 without full-adder cells. ABC's
# default script may run for minutes on adder trees.
ABC_SCRIPT = """\
strash
ifraig
scorr
dc2
dc2
&get -n
&dch -f
&nf -R 1000 -F 5
&put
topo
"""

# Bits with a constant operand or carry become gates: a half adder is better left to ABC.
ADDERS = """\
(* techmap_celltype = "$alu" *)
module kllm_ripple_adder (A, B, CI, BI, X, Y, CO);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  parameter _TECHMAP_CONSTMSK_A_ = 0;
  parameter _TECHMAP_CONSTMSK_B_ = 0;
  parameter _TECHMAP_CONSTMSK_CI_ = 0;
  parameter _TECHMAP_CONSTMSK_BI_ = 0;
  parameter _TECHMAP_CONSTVAL_A_ = 0;
  parameter _TECHMAP_CONSTVAL_B_ = 0;
  parameter _TECHMAP_CONSTVAL_CI_ = 0;
  parameter _TECHMAP_CONSTVAL_BI_ = 0;
  (* force_downto *) input [A_WIDTH-1:0] A;
  (* force_downto *) input [B_WIDTH-1:0] B;
  input CI, BI;
  (* force_downto *) output [Y_WIDTH-1:0] X, Y, CO;
  (* force_downto *) wire [Y_WIDTH-1:0] a, b;
  \\$pos #(.A_SIGNED(A_SIGNED), .A_WIDTH(A_WIDTH), .Y_WIDTH(Y_WIDTH)) extend_a (.A(A), .Y(a));
  \\$pos #(.A_SIGNED(B_SIGNED), .A_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)) extend_b (.A(B), .Y(b));
  wire [Y_WIDTH-1:0] second = b ^ {Y_WIDTH{BI}};
  wire [Y_WIDTH:0] carry;
  assign carry[0] = CI;
  assign X = a ^ second;
  assign CO = carry[Y_WIDTH:1];

  // Bits with a constant among operands and carry: the carry is one when two of three agree.
  function [Y_WIDTH-1:0] constant_bits;
    input unused;
    integer n, at_a, at_b;
    reg known_a, known_b, known_c, c, value_a, value_b;
    begin
      known_c = _TECHMAP_CONSTMSK_CI_;
      c = _TECHMAP_CONSTVAL_CI_;
      for (n = 0; n < Y_WIDTH; n = n + 1) begin
        at_a = n < A_WIDTH ? n : A_WIDTH - 1;
        at_b = n < B_WIDTH ? n : B_WIDTH - 1;
        known_a = (_TECHMAP_CONSTMSK_A_ >> at_a) & 1;
        known_b = (_TECHMAP_CONSTMSK_B_ >> at_b) & 1;
        value_a = (_TECHMAP_CONSTVAL_A_ >> at_a) & 1;
        value_b = (_TECHMAP_CONSTVAL_B_ >> at_b) & 1;
        if (n >= A_WIDTH && !A_SIGNED) begin known_a = 1; value_a = 0; end
        if (n >= B_WIDTH && !B_SIGNED) begin known_b = 1; value_b = 0; end
        known_b = known_b & _TECHMAP_CONSTMSK_BI_;
        value_b = value_b ^ _TECHMAP_CONSTVAL_BI_;
        constant_bits[n] = known_a | known_b | known_c;
        if (known_a && known_b && value_a == value_b) begin known_c = 1; c = value_a; end
        else if (known_a && known_c && value_a == c) begin known_c = 1; c = value_a; end
        else if (known_b && known_c && value_b == c) begin known_c = 1; c = value_b; end
        else known_c = 0;
      end
    end
  endfunction
  localparam [Y_WIDTH-1:0] CONSTANT = constant_bits(0);

  genvar n;
  generate for (n = 0; n < Y_WIDTH; n = n + 1) begin : bits
    if (CONSTANT[n]) begin
      assign Y[n] = X[n] ^ carry[n];
      assign carry[n+1] = (a[n] & second[n]) | (carry[n] & (a[n] | second[n]));
    end else begin
      \\$fa #(.WIDTH(1)) adder (.A(a[n]), .B(second[n]), .C(carry[n]), .X(carry[n+1]), .Y(Y[n]));
    end
  end endgenerate
endmodule
"""

# The same for the carry-save adders of long sums, where constants spread from level to level.
HALF_ADDERS = """\
(* techmap_celltype = "$fa" *)
module kllm_half_adders (A, B, C, X, Y);
  parameter WIDTH = 1;
  parameter _TECHMAP_CONSTMSK_A_ = 0;
  parameter _TECHMAP_CONSTMSK_B_ = 0;
  parameter _TECHMAP_CONSTMSK_C_ = 0;
  input [WIDTH-1:0] A, B, C;
  output [WIDTH-1:0] X, Y;
  localparam [WIDTH-1:0] CONSTANT =
    _TECHMAP_CONSTMSK_A_ | _TECHMAP_CONSTMSK_B_ | _TECHMAP_CONSTMSK_C_;
  wire _TECHMAP_FAIL_ = CONSTANT == 0;
  genvar n;
  generate for (n = 0; n < WIDTH; n = n + 1) begin : bits
    if (CONSTANT[n]) begin
      assign X[n] = (A[n] & B[n]) | (C[n] & (A[n] | B[n]));
      assign Y[n] = A[n] ^ B[n] ^ C[n];
    end else begin
      \\$fa #(.WIDTH(1)) adder (.A(A[n]), .B(B[n]), .C(C[n]), .X(X[n]), .Y(Y[n]));
    end
  end endgenerate
endmodule
"""
HALF_ADDER_ROUNDS = 8  # levels of the tallest carry-save tree, 40 operands

# a < b is the missing carry of a + ~b + 1; signed numbers are first moved up by half the range.
COMPARE = """\
(* techmap_celltype = "{kind}" *)
module kllm_{name} (A, B, Y);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  localparam WIDTH = A_WIDTH > B_WIDTH ? A_WIDTH : B_WIDTH;
  localparam MIXED = A_SIGNED && B_SIGNED;
  (* force_downto *) input [A_WIDTH-1:0] A;
  (* force_downto *) input [B_WIDTH-1:0] B;
  (* force_downto *) output [Y_WIDTH-1:0] Y;
  (* force_downto *) wire [WIDTH-1:0] a, b;
  \\$pos #(.A_SIGNED(MIXED), .A_WIDTH(A_WIDTH), .Y_WIDTH(WIDTH)) extend_a (.A(A), .Y(a));
  \\$pos #(.A_SIGNED(MIXED), .A_WIDTH(B_WIDTH), .Y_WIDTH(WIDTH)) extend_b (.A(B), .Y(b));
  wire [WIDTH-1:0] flip = MIXED ? {{1'b1, {{WIDTH{{1'b0}}}}}} >> 1 : 0;
  wire [WIDTH-1:0] left = {left} ^ flip;
  wire [WIDTH-1:0] right = ~{right} ^ flip;
  wire [WIDTH:0] carry;
  assign carry[0] = 1'b{equal};
  genvar n;
  generate for (n = 0; n < WIDTH; n = n + 1) begin : bits
    assign carry[n+1] = (left[n] & right[n]) | (carry[n] & (left[n] | right[n]));
  end endgenerate
  assign Y = {inverted}carry[WIDTH];
endmodule
"""

FULL_ADDER = """\
(* techmap_celltype = "$fa" *)
module kllm_full_adder (A, B, C, X, Y);
  parameter WIDTH = 1;
  input [WIDTH-1:0] A, B, C;
  output [WIDTH-1:0] X, Y;
  wire [WIDTH-1:0] sum, carry;
  assign X = {carry_inverted}carry;
  assign Y = {sum_inverted}sum;
  genvar n;
  generate for (n = 0; n < WIDTH; n = n + 1) begin : bits
    {cell} adder ({pins}, .{sum}(sum[n]), .{carry}(carry[n]));
  end endgenerate
endmodule
"""


def maps(library: Library) -> dict[str, str]:
    """Return the files that the flow reads, by name."""
    # (A < B) = !(A >= B) = !carry(A + ~B + 1), and so on.
    comparisons = [
        COMPARE.format(kind=kind, name=name, left=left, right=right, equal=1, inverted=inverted)
        for kind, name, left, right, inverted in (
            ("$ge", "ge", "a", "b", ""),
            ("$le", "le", "b", "a", ""),
            ("$lt", "lt", "a", "b", "~"),
            ("$gt", "gt", "b", "a", "~"),
        )
    ]
    return {
        "adders.v": ADDERS,
        "half_adders.v": HALF_ADDERS,
        "comparisons.v": "".join(comparisons),
        "full_adder.v": _full_adder_map(library),
        "area.abc": ABC_SCRIPT,
    }


def _full_adder_map(library: Library) -> str:
    found = full_adder(library)
    if found is None:
        return ""
    cell, roles = found
    pins = [f".{pin}({port}[n])" for pin, port in zip(cell.pins("input"), "ABC", strict=True)]
    invert = {True: "~", False: ""}
    return FULL_ADDER.format(
        cell=f"\\{cell.name} ",
        pins=", ".join(pins),
        sum=roles["sum"][0],
        carry=roles["carry"][0],
        sum_inverted=invert[roles["sum"][1]],
        carry_inverted=invert[roles["carry"][1]],
    )


def front(top: str) -> list[str]:
    """Return the commands that make one module of ``design.il``, its memories collected."""
    return [
        "read_rtlil design.il",
        f"hierarchy -top {top}",
        "proc",
        "chformal -remove",
        "delete t:$print",
        "flatten -noscopeinfo",
        # Silicon wakes with any value in its registers: reset is what counts.
        "setattr -unset init w:*",
        "opt_expr",
        "opt_clean",
        "opt -nodffe -nosdff",
        "wreduce",
        "peepopt",
        "opt_clean",
        "memory -nomap",
    ]


# What :func:`front` made, for the next process, and its memories as JSON.
HAND_OVER = ["write_rtlil front.il", "select t:$mem_v2", "write_json -selected memories.json"]


def take_over(top: str, small_memories: Sequence[str]) -> list[str]:
    """Return the commands that go on with ``front.il``.

    Parameters
    ----------
    top : str
        Name of the module.
    small_memories : sequence of str
        Cells of memories that become flip-flops; the others stay.
    """
    return [
        "read_rtlil front.il",
        f"hierarchy -top {top}",
        *(f"memory_map {top}/{cell}" for cell in small_memories),
    ]


def back(top: str, libraries: Sequence[str], avoided: Sequence[str] = ()) -> list[str]:
    """Return the commands that map the module to cells and write ``netlist.json``.

    Parameters
    ----------
    top : str
        Name of the module.
    libraries : sequence of str
        Liberty files.
    avoided : sequence of str
        Cells of them that must not be chosen.
    """
    named = " ".join(f"-liberty {name}" for name in libraries)
    avoid = "".join(f" -dont_use {name}" for name in avoided)
    return [
        "opt -nodffe -nosdff",
        "techmap -map comparisons.v",
        "alumacc",
        "opt -nodffe -nosdff",
        "maccmap",  # sums of several operands: carry-save adders, then one carry chain
        "opt -nodffe -nosdff",
        "simplemap t:$and t:$not t:$pos",  # bit by bit, so that constant bits show
        "opt_expr",
        *["techmap -map half_adders.v", "opt_expr", "opt_clean"] * HALF_ADDER_ROUNDS,
        "techmap -map adders.v",
        "simplemap t:$pos",
        "opt -fast -nodffe -nosdff",
        "techmap -map full_adder.v",
        "opt -fast -nodffe -nosdff",
        "techmap",
        "opt -fast -nodffe -nosdff",
        f"dfflibmap{avoid} {named}",
        f"abc{avoid} {named} -script area.abc",
        "opt_clean -purge",
        f"hierarchy -top {top}",
        "write_json netlist.json",
    ]
