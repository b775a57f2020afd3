"""What tools beside the Verilog ask for: a core file for FuseSoC, and constraints of its clock."""

from collections.abc import Sequence

from gateware.design import Design
from gateware.emit import CLOCK, RESET

CORE = """\
CAPI=2:
# Written by `kllm verilog {name} --package`; the Verilog lies beside it.
name: "kllm:rtl:{name}"
description: "{about}"

filesets:
  rtl:
    files: [{files}]
    file_type: verilogSource-2005
  constraints:
    files: [{name}.sdc]
    file_type: SDC

targets:
  default:
    filesets: [rtl]
    toplevel: {name}
  lint:
    filesets: [rtl]
    toplevel: {name}
    flow: lint
    flow_options:
      tool: verilator
  synth:
    filesets: [rtl, constraints]
    toplevel: {name}
"""
CONSTRAINTS = """\
# Constraints of {name}. `period`, in the library's unit, and `outside`, the share of a cycle that
# signals take outside, may be set before this file is read.
if {{![info exists period]}} {{ set period 10.0 }}
if {{![info exists outside]}} {{ set outside 0.3 }}
create_clock -name {clock} -period $period{port}
set_input_delay [expr {{$outside * $period}}] -clock {clock} [get_ports {{
{inputs}
}}]
set_output_delay [expr {{$outside * $period}}] -clock {clock} [all_outputs]
"""


def package(design: Design, sources: Sequence[str] = (".v",)) -> dict[str, str]:
    """Return the files, by suffix, that make a core of a design's Verilog.

    ``sources`` are the suffixes of the files that have it.
    """
    told = design.sidecar()
    # A clock without a port is one outside.
    port, inputs = (f" [get_ports {CLOCK}]", [RESET]) if told["clock"] else ("", [])
    for one in told["ports"]:
        if one["direction"] == "in":
            inputs.append(one["name"] + "[*]" * (one["width"] > 1))
    words = {"clock": CLOCK, "port": port, "inputs": "\n".join(f"    {name}" for name in inputs)}
    files = ", ".join(design.name + suffix for suffix in sources)
    return {
        ".core": CORE.format(name=design.name, about=design.about or design.name, files=files),
        ".sdc": CONSTRAINTS.format(name=design.name, **words),
    }
