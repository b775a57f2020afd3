"""Operands of RTLIL's cells, made as wide as Verilog wants them."""

import re

NUMBER = re.compile(r"^    parameter \\(\S+) (\d+)$", re.M)
COMPARISONS = {"$eq", "$ne", "$lt", "$le", "$gt", "$ge"}
CARRYING = {"$add", "$sub"}  # Verilog's sum may have one bit more than what is added
WHOLE = {"$mul", "$neg"}  # as wide as the result
SHIFTS = {"$shl", "$shr", "$sshr", "$shift"}
UNUSED = "_unused"  # linters take it for meant so where that is in a name


def widened(cell: str) -> str:
    """Return a cell's text with operands that linters take for wide enough.

    Yosys widens operands of unlike widths, and so does Verilog, but a linter cannot know whether
    that was meant. A shifted word that is wider than the result needs a wire of its width.
    """
    kind = cell.split("cell ", 1)[1].split(None, 1)[0]
    size = {name: int(value) for name, value in NUMBER.findall(cell)}
    a, b, y = (size.get(f"{port}_WIDTH", 0) for port in "ABY")
    if kind in COMPARISONS:
        wanted = {"A": max(a, b), "B": max(a, b)}
    elif kind in CARRYING:
        common = max(a, b) if y <= max(a, b) + 1 else y
        wanted = {"A": common, "B": common}
    elif kind in WHOLE:
        wanted = {"A": y, "B": y}
    elif kind in SHIFTS:
        wanted = {"A": max(a, y)}
    else:
        return cell
    for port, width in wanted.items():
        if f"{port}_WIDTH" in size and size[f"{port}_WIDTH"] < width:
            cell = _widen(cell, port, width, size)
    return _whole_result(cell, y, a - y) if kind in SHIFTS and a > y else cell


def _widen(cell: str, port: str, width: int, size: dict[str, int]) -> str:
    """Return the cell with zeros, or copies of its sign, above one of its operands."""
    now = size[f"{port}_WIDTH"]
    more = width - now
    cell = _sized(cell, port, width)

    def operand(found: re.Match[str]) -> str:
        signed = size[f"{port}_SIGNED"] and now
        above = f"{found[2]} [{now - 1}] " * more if signed else f"{more}'{'0' * more} "
        return f"{found[1]}{{ {above}{found[2]} }}"

    return re.sub(rf"^(    connect \\{port} )(.*)$", operand, cell, count=1, flags=re.M)


def _whole_result(cell: str, size: int, more: int) -> str:
    """Return the cell with so many further bits of its result in a signal that nothing reads."""
    found = re.search(r"^    connect \\Y (\S+)$", cell, re.M)
    assert found
    rest = f"{found[1]}{UNUSED}"
    cell = cell.replace(found[0], f"    connect \\Y {{ {rest} {found[1]} }}")
    cell = _sized(cell, "Y", size + more)
    return f"  wire width {more} {rest}\n\n{cell}"


def _sized(cell: str, port: str, width: int) -> str:
    """Return the cell with another width of a port."""
    return re.sub(rf"(\\{port}_WIDTH) \d+$", rf"\g<1> {width}", cell, count=1, flags=re.M)
