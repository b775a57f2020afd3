// Runs a chip against a memory, without Python: reads an image, writes what became of it.
//
//   chip TASK IMAGE RESULT
//
// TASK holds numbers, one a line, in the order of struct Settings; chip_run.py writes it. While it
// runs it prints a line for each token that the chip chooses: its position, the token, and the
// cycles, bytes read and bytes written so far. RESULT is the image after the run. There may be
// several tasks, one behind the other, and so their images and results; each begins with a reset.
//
// The host is the chip's driver, gateware/driver, on the chip's registers.

#include <fstream>

#include "memory.h"
#include "verilated.h"
// A part of this program, so that Verilator's makefile has one source.
#include "kllm_chip.c"

// A chip, its memory and the host's bus. Each access to a register takes cycles, in which all else
// goes on.
class Bench {
 public:
  const kllm_chip chip = {read, write, this};

  Bench(const Settings& s, Store& store) : settings(s) {
    for (Number n = 0; n < PORTS; n++) memories.emplace_back(s, store, n);
  }

  // Resets chip and memory but for what it holds. The next run begins anew.
  void reset() {
    top.rst = 1;
    for (Port& port : ports) port.rvalid = port.bvalid = 0;
    top.s_axi_arvalid = top.s_axi_awvalid = top.s_axi_wvalid = 0;
    top.s_axi_rready = top.s_axi_bready = 0;
    for (int n = 0; n < 2; n++) clock(0), clock(1);
    top.rst = 0;
    for (Memory& memory : memories) memory.restart();
    reset_at = cycle, fresh = true;
    r.waiting = b.waiting = false;
  }

  void turn() {
    for (Memory& memory : memories) memory.drive();
    clock(0);
    for (Memory& memory : memories) memory.look();
    r.check(top.s_axi_rvalid, top.s_axi_rready, word(top.s_axi_rdata, top.s_axi_rresp));
    b.check(top.s_axi_bvalid, top.s_axi_bready, word(0, top.s_axi_bresp));
    seen = {bool(top.s_axi_arready), bool(top.s_axi_rvalid),  bool(top.s_axi_awready),
            bool(top.s_axi_wready),  bool(top.s_axi_bvalid), top.s_axi_rdata};
    require(!seen.rvalid || top.s_axi_rresp == OKAY, "a register that is read is not there");
    require(!seen.bvalid || top.s_axi_bresp == OKAY, "a register that is written is not there");
    clock(1);
    cycle++;
  }

 private:
  struct Seen {
    bool arready, rvalid, awready, wready, bvalid;
    uint32_t rdata;
  };

  const Settings& settings;
  std::deque<Memory> memories;
  Offer r{"register R"}, b{"register B"};
  Seen seen{};
  Number reset_at = 0;
  bool fresh = true;  // no run since the reset

  static void clock(int level) { top.clk = level, top.eval(); }

  static Bytes word(uint32_t data, uint8_t answer) {
    return {uint8_t(data), uint8_t(data >> 8), uint8_t(data >> 16), uint8_t(data >> 24), answer};
  }

  static uint32_t read(void* bus, uint32_t offset) {
    Bench& bench = *(Bench*)bus;
    top.s_axi_araddr = offset, top.s_axi_arvalid = 1;
    do bench.turn();
    while (!bench.seen.arready);
    top.s_axi_arvalid = 0, top.s_axi_rready = 1;
    do bench.turn();
    while (!bench.seen.rvalid);
    top.s_axi_rready = 0;
    return bench.seen.rdata;
  }

  static void write(void* bus, uint32_t offset, uint32_t data) {
    Bench& bench = *(Bench*)bus;
    top.s_axi_awaddr = offset, top.s_axi_wdata = data, top.s_axi_wstrb = 0xF;
    top.s_axi_awvalid = top.s_axi_wvalid = 1;
    while (top.s_axi_awvalid || top.s_axi_wvalid) {
      bench.turn();
      if (bench.seen.awready) top.s_axi_awvalid = 0;
      if (bench.seen.wready) top.s_axi_wvalid = 0;
    }
    // The register changes with the answer, so this is a run's first cycle. What the host has told
    // of it since the reset is not counted.
    if (offset == offsetof(kllm_registers_t, start) && bench.fresh)
      cycle = bench.reset_at, bench.fresh = false;
    top.s_axi_bready = 1;
    do bench.turn();
    while (!bench.seen.bvalid);
    top.s_axi_bready = 0;
  }
};

static void run(const Settings& settings, Store& store) {
  const Bytes image = store.image;
  Bench bench(settings, store);
  const kllm_chip* chip = &bench.chip;
  const kllm_run wanted = {uint32_t(settings.program), uint32_t(settings.first),
                           uint32_t(settings.known),   uint32_t(settings.limit),
                           uint32_t(settings.end_token), settings.ends != 0};
  kllm_identity is;
  kllm_fault fault = KLLM_FAULT_NONE;
  Number ended = 0, read_bytes = 0, write_bytes = 0;
  bool was_reset = !settings.reset_at, was_stopped = !settings.stop_at;
  bench.reset();
  require(kllm_identify(chip, &is) && is.bus_bytes == settings.bus_bytes, "it is another chip");
  for (Number run = 0; run <= settings.again; run++) {
    const bool polls = run % 2;  // the others wait for the interrupt
    kllm_interrupt(chip, !polls);
    require(kllm_start(chip, &wanted), "a run cannot start");
    while (polls ? !kllm_wait(chip, 1, &fault) : !top.interrupts) {
      if (cycle >= settings.limit_cycles) {
        const std::string place = std::to_string(kllm_position(chip));
        cycle = settings.limit_cycles;  // without those of the host's last question
        fail(OUT_OF_CYCLES, "not done at position " + place);
      }
      if (!was_reset && cycle >= settings.reset_at) {
        bench.reset();
        store.image = image, was_reset = true;
        kllm_interrupt(chip, !polls);
        require(kllm_start(chip, &wanted), "a run cannot start after a reset");
      }
      if (!was_stopped && cycle >= settings.stop_at) kllm_stop(chip), was_stopped = true;
      if (!polls) bench.turn();
    }
    ended = cycle, read_bytes = store.read_bytes, write_bytes = store.write_bytes;
    require(kllm_ended(chip, &fault) && !kllm_running(chip), "it runs, and has ended");
    kllm_clear(chip);
    require(!top.interrupts && !kllm_ended(chip, &fault), "what was cleared stays");
  }
  printf("done %llu %s %llu %llu\n", (unsigned long long)ended, kllm_fault_name(fault),
         (unsigned long long)read_bytes, (unsigned long long)write_bytes);
}

int main(int arguments, char** names) {
  if (arguments != 4) fail(BAD_TASK, "usage: chip TASK IMAGE RESULT");
  std::ifstream task(names[1]), images(names[2], std::ios::binary);
  std::ofstream results(names[3], std::ios::binary);
  do {
    const Settings settings(task);
    Store store{Bytes(settings.image_bytes)};
    Bytes& image = store.image;
    if (!images.read((char*)image.data(), image.size())) fail(BAD_TASK, "the image ends early");
    cycle = 0;
    run(settings, store);
    results.write((const char*)image.data(), image.size());
    task >> std::ws;
  } while (!task.eof());
  return results.flush() ? 0 : BAD_TASK;
}
