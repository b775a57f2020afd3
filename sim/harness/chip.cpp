// Runs a chip against a memory, without Python: reads an image, writes what became of it.
//
//   chip TASK IMAGE RESULT
//
// TASK holds numbers, one a line, in the order of struct Settings; chip_run.py writes it. While it
// runs it prints a line for each token that the chip chooses: its position, the token, and the
// cycles, bytes read and bytes written so far. RESULT is the image after the run. There may be
// several tasks, one behind the other, and so their images and results; each begins with a reset.
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
  Number write_fails_at;   // the same of write bursts
  Number hangs_at, write_hangs_at;  // number of the burst behind which memory does nothing
  Number hangs_for;        // for so many cycles; 0: for ever
  Number again;            // runs after the first one, each when the one before has ended
  Number reset_at;         // cycle in which all is reset, memory's content too; 0: never
  Number image_bytes;
  explicit Settings(std::istream& file) {
    for (Number* value = &program; value <= &image_bytes; value++)
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
  int answer;
};

struct Answer {
  Number due;
  int answer;
};

enum { OKAY = 0, SLVERR = 2, DECERR = 3 };

struct Memory {
  const Settings& settings;
  Bytes image;
  std::mt19937_64 random;
  std::deque<Burst> reads, writes;
  std::deque<Answer> answers;
  Number read_bursts = 0, write_bursts = 0, hangs_until = 0, read_bytes = 0, write_bytes = 0, next_word = 0;
  Offer ar{"AR"}, aw{"AW"}, w{"W"};

  Memory(const Settings& s, Bytes bytes) : settings(s), image(std::move(bytes)), random(s.seed) {}

  bool pauses() { return hangs() || (settings.stall && random() % 1000 < settings.stall); }
  bool hangs() const { return cycle < hangs_until; }
  bool rests() const { return settings.interval && cycle % settings.interval < settings.pause; }

  template <class Field>
  static Bytes bytes(const Field& field, size_t size) {
    const auto* from = reinterpret_cast<const uint8_t*>(&field);
    return Bytes(from, from + size);
  }

  // Forgets all that is under way, as at a reset.
  void restart(const Bytes& content) {
    image = content;
    reads.clear(), writes.clear(), answers.clear();
    next_word = 0, delivered = answered = false;
    for (Offer* offer : {&ar, &aw, &w}) offer->waiting = false;
  }

  void drive() {
    const bool free = !settings.stall;
    top.m_axi_arready = reads.size() < 8 && (free || top.m_axi_arvalid) && !pauses();
    top.m_axi_awready = writes.size() < 4 && (free || top.m_axi_awvalid) && !pauses();
    top.m_axi_wready = !writes.empty() && (free || top.m_axi_wvalid) && !pauses();
    if (!top.m_axi_bvalid || answered) {
      top.m_axi_bvalid = !answers.empty() && answers.front().due <= cycle && !pauses();
      top.m_axi_bresp = answers.empty() ? OKAY : answers.front().answer;
    }
    if (!top.m_axi_rvalid || delivered) {
      const bool ready = !reads.empty() && reads.front().due <= cycle && next_word <= cycle;
      top.m_axi_rvalid = ready && !rests() && !pauses();
      if (top.m_axi_rvalid) {
        const Burst& burst = reads.front();
        memset(&top.m_axi_rdata, 0, settings.bus_bytes);
        if (inside(burst.address))
          memcpy(&top.m_axi_rdata, image.data() + burst.address, settings.bus_bytes);
        top.m_axi_rlast = burst.words == 1;
        top.m_axi_rresp = inside(burst.address) ? burst.answer : DECERR;
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
      if (++read_bursts == settings.fails_at) reads.back().answer = SLVERR;
      if (read_bursts == settings.hangs_at) hang();
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
    if (top.m_axi_awvalid && top.m_axi_awready) {
      writes.push_back(burst(top.m_axi_awaddr, top.m_axi_awlen));
      if (++write_bursts == settings.write_fails_at) writes.back().answer = SLVERR;
      if (write_bursts == settings.write_hangs_at) hang();
    }
  }

 private:
  bool delivered = false, answered = false;

  Burst burst(Number address, Number length) {
    const Number words = length + 1, size = words * settings.bus_bytes;
    require(address % settings.bus_bytes == 0, "a burst is not aligned to the bus");
    require(address / 4096 == (address + size - 1) / 4096, "a burst crosses 4 KB");
    return {address, words, cycle + settings.latency, OKAY};
  }

  bool inside(Number address) const { return address + settings.bus_bytes <= image.size(); }

  void hang() { hangs_until = settings.hangs_for ? cycle + settings.hangs_for : ~Number(0); }

  void take_word() {
    Burst& burst = writes.front();
    require(top.m_axi_wlast == (burst.words == 1), "wlast is not on the last word");
    const auto* strobe = reinterpret_cast<const uint8_t*>(&top.m_axi_wstrb);
    const auto* from = reinterpret_cast<const uint8_t*>(&top.m_axi_wdata);
    for (Number n = 0; n < settings.bus_bytes; n++) {
      if (!(strobe[n / 8] >> n % 8 & 1) || !inside(burst.address)) continue;
      image[burst.address + n] = from[n];
      write_bytes++;
    }
    written(burst.address);
    if (!inside(burst.address)) burst.answer = DECERR;
    burst.address += settings.bus_bytes;
    if (--burst.words) return;
    answers.push_back({cycle + settings.latency, burst.answer});
    writes.pop_front();
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

static void reset() {
  top.rst = 1;
  top.m_axi_rvalid = top.m_axi_bvalid = top.run___05Fstart = 0;
  for (int n = 0; n < 2; n++) clock(0), clock(1);
  top.rst = 0;
}

static void run(const Settings& settings, Memory& memory) {
  const Bytes image = memory.image;
  top.run___05Fprogram = settings.program;
  top.run___05Fknown = settings.known;
  top.run___05Flimit = settings.limit;
  top.run___05Fend_token = settings.end_token;
  top.run___05Fends = settings.ends;
  reset();
  bool was_reset = !settings.reset_at;
  for (Number run = 0; run <= settings.again; run++) {
    bool done = false;
    for (Number began = cycle; !done; cycle++) {
      if (cycle == settings.limit_cycles)
        fail(OUT_OF_CYCLES, "not done at position " + std::to_string(top.position));
      if (!was_reset && cycle == settings.reset_at) {
        reset();
        memory.restart(image);
        began = cycle, was_reset = true;
      }
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
}

int main(int arguments, char** names) {
  if (arguments != 4) fail(BAD_TASK, "usage: chip TASK IMAGE RESULT");
  std::ifstream task(names[1]), images(names[2], std::ios::binary);
  std::ofstream results(names[3], std::ios::binary);
  do {
    const Settings settings(task);
    Bytes image(settings.image_bytes);
    if (!images.read((char*)image.data(), image.size())) fail(BAD_TASK, "the image ends early");
    cycle = 0;
    Memory memory(settings, std::move(image));
    run(settings, memory);
    results.write((const char*)memory.image.data(), memory.image.size());
    task >> std::ws;
  } while (!task.eof());
  return results.flush() ? 0 : BAD_TASK;
}
