// Runs a chip against a memory, without Python: reads an image, writes what became of it.
//
//   chip TASK IMAGE RESULT
//
// TASK holds numbers, one a line, in the order of struct Settings; chip_run.py writes it. While it
// runs it prints a line for each token that the chip chooses: its position, the token, and the
// cycles, bytes read and bytes written so far. RESULT is the image after the run.
//
// One turn of the loop is a clock cycle. Inputs are driven while the clock is low; then everything
// has settled, so what is seen is what the rising edge samples.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "Vdesign.h"
#include "verilated.h"

using Number = uint64_t;
using Bytes = std::vector<uint8_t>;

enum { BAD_TASK = 2, BROKEN_RULE = 3, OUT_OF_CYCLES = 4 };

static Vdesign top;
static Number cycle = 0;

[[noreturn]] static void fail(int status, const std::string& text) {
  printf("error: %s, cycle %llu\n", text.c_str(), (unsigned long long)cycle);
  exit(status);
}

static void require(bool holds, const char* rule) {
  if (!holds) fail(BROKEN_RULE, rule);
}

struct Settings {
  Number program, known, limit, end_token, ends, tokens, limit_cycles, seed;
  Number bus_bytes;
  Number latency;          // cycles from an address to its first word
  Number interval, pause;  // every so many cycles the memory rests for so many; 0: never
  Number gap;              // cycles between two words
  Number stall;            // chance of a pause on each channel in each cycle, in thousandths
  Number fails_at;         // number of the read burst, from 1, that is answered with SLVERR
  Number again;            // runs after the first one, each when the one before has ended
  explicit Settings(std::istream& file) {
    for (Number* value = &program; value <= &again; value++)
      if (!(file >> *value)) fail(BAD_TASK, "the task ends early");
  }
};

// Whatever a side offers must stay until it is taken.
struct Offer {
  const char* name;
  bool waiting = false;
  Bytes before;
  void check(bool valid, bool ready, const Bytes& payload) {
    require(!waiting || valid, (std::string(name) + ": valid fell before it was taken").c_str());
    require(!waiting || payload == before,
            (std::string(name) + ": the payload changed while it waited").c_str());
    waiting = valid && !ready;
    before = payload;
  }
};

struct Burst {
  Number address, words, due;
  bool fails;
};

struct Memory {
  const Settings& settings;
  Bytes image;
  std::mt19937_64 random;
  std::deque<Burst> reads, writes;
  std::deque<Number> answers;  // cycles from which on they may be given
  Number read_bursts = 0, read_bytes = 0, write_bytes = 0, next_word = 0;
  Offer ar{"AR"}, aw{"AW"}, w{"W"};

  Memory(const Settings& s, Bytes bytes) : settings(s), image(std::move(bytes)), random(s.seed) {}

  bool pauses() { return settings.stall && random() % 1000 < settings.stall; }
  bool rests() const { return settings.interval && cycle % settings.interval < settings.pause; }

  template <class Field>
  static Bytes bytes(const Field& field, size_t size) {
    const auto* from = reinterpret_cast<const uint8_t*>(&field);
    return Bytes(from, from + size);
  }

  void drive() {
    const bool free = !settings.stall;
    top.m_axi_arready = reads.size() < 8 && (free || top.m_axi_arvalid) && !pauses();
    top.m_axi_awready = writes.size() < 4 && (free || top.m_axi_awvalid) && !pauses();
    top.m_axi_wready = !writes.empty() && (free || top.m_axi_wvalid) && !pauses();
    if (!top.m_axi_bvalid || answered) {
      top.m_axi_bvalid = !answers.empty() && answers.front() <= cycle && !pauses();
      top.m_axi_bresp = 0;
    }
    if (!top.m_axi_rvalid || delivered) {
      const bool ready = !reads.empty() && reads.front().due <= cycle && next_word <= cycle;
      top.m_axi_rvalid = ready && !rests() && !pauses();
      if (top.m_axi_rvalid) {
        const Burst& burst = reads.front();
        memcpy(&top.m_axi_rdata, image.data() + burst.address, settings.bus_bytes);
        top.m_axi_rlast = burst.words == 1;
        top.m_axi_rresp = burst.fails ? 2 : 0;
      }
    }
    delivered = answered = false;
  }

  void look() {
    Bytes read = bytes(top.m_axi_araddr, 4), write = bytes(top.m_axi_awaddr, 4);
    read.push_back(top.m_axi_arlen), write.push_back(top.m_axi_awlen);
    ar.check(top.m_axi_arvalid, top.m_axi_arready, read);
    aw.check(top.m_axi_awvalid, top.m_axi_awready, write);
    w.check(top.m_axi_wvalid, top.m_axi_wready, bytes(top.m_axi_wdata, settings.bus_bytes));
    if (top.m_axi_arvalid && top.m_axi_arready) {
      reads.push_back(burst(top.m_axi_araddr, top.m_axi_arlen));
      reads.back().fails = ++read_bursts == settings.fails_at;
    }
    if (top.m_axi_rvalid && top.m_axi_rready) {
      delivered = true;
      read_bytes += settings.bus_bytes;
      next_word = cycle + 1 + settings.gap;
      Burst& burst = reads.front();
      burst.address += settings.bus_bytes;
      if (!--burst.words) reads.pop_front();
    }
    if (top.m_axi_wvalid && top.m_axi_wready) take_word();
    if (top.m_axi_bvalid && top.m_axi_bready) answered = true, answers.pop_front();
    if (top.m_axi_awvalid && top.m_axi_awready)
      writes.push_back(burst(top.m_axi_awaddr, top.m_axi_awlen));
  }

 private:
  bool delivered = false, answered = false;

  Burst burst(Number address, Number length) {
    const Number words = length + 1, size = words * settings.bus_bytes;
    require(address % settings.bus_bytes == 0, "a burst is not aligned to the bus");
    require(address / 4096 == (address + size - 1) / 4096, "a burst crosses 4 KB");
    require(address + size <= image.size(), "a burst reaches beyond the memory");
    return {address, words, cycle + settings.latency, false};
  }

  void take_word() {
    Burst& burst = writes.front();
    require(top.m_axi_wlast == (burst.words == 1), "wlast is not on the last word");
    const auto* strobe = reinterpret_cast<const uint8_t*>(&top.m_axi_wstrb);
    const auto* from = reinterpret_cast<const uint8_t*>(&top.m_axi_wdata);
    for (Number n = 0; n < settings.bus_bytes; n++) {
      if (!(strobe[n / 8] >> n % 8 & 1)) continue;
      image[burst.address + n] = from[n];
      write_bytes++;
    }
    written(burst.address);
    burst.address += settings.bus_bytes;
    if (!--burst.words) writes.pop_front(), answers.push_back(cycle + settings.latency);
  }

  // Says so when a token was chosen.
  void written(Number address) const {
    const Number position = top.position + 1, at = settings.tokens + 4 * position;
    if (at < address || at >= address + settings.bus_bytes) return;
    uint32_t token;
    memcpy(&token, image.data() + at, 4);
    printf("%llu %u %llu %llu %llu\n", (unsigned long long)position, token,
           (unsigned long long)cycle, (unsigned long long)read_bytes,
           (unsigned long long)write_bytes);
    fflush(stdout);
  }
};

static void clock(int level) { top.clk = level, top.eval(); }

int main(int arguments, char** names) {
  if (arguments != 4) fail(BAD_TASK, "usage: chip TASK IMAGE RESULT");
  std::ifstream task(names[1]), image(names[2], std::ios::binary);
  const Settings settings(task);
  Memory memory(settings, Bytes(std::istreambuf_iterator<char>(image), {}));

  top.rst = 1;
  for (int n = 0; n < 2; n++) clock(0), clock(1);
  top.rst = 0;
  top.run___05Fprogram = settings.program;
  top.run___05Fknown = settings.known;
  top.run___05Flimit = settings.limit;
  top.run___05Fend_token = settings.end_token;
  top.run___05Fends = settings.ends;
  for (Number run = 0; run <= settings.again; run++) {
    bool done = false;
    for (const Number began = cycle; !done; cycle++) {
      if (cycle == settings.limit_cycles)
        fail(OUT_OF_CYCLES, "not done at position " + std::to_string(top.position));
      top.run___05Fstart = cycle == began;
      memory.drive();
      clock(0);
      memory.look();
      done = top.finished;
      clock(1);
    }
  }
  printf("done %llu %d %llu %llu\n", (unsigned long long)cycle, int(top.fault),
         (unsigned long long)memory.read_bytes, (unsigned long long)memory.write_bytes);
  std::ofstream result(names[3], std::ios::binary);
  result.write((const char*)memory.image.data(), memory.image.size());
  return result.flush() ? 0 : BAD_TASK;
}
