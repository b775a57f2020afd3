// Memory behind the ports of a chip, and the rules that it holds the chip to.
//
// One turn of the loop is a clock cycle. Inputs are driven while the clock is low; then everything
// has settled, so what is seen is what the rising edge samples.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <istream>
#include <random>
#include <string>
#include <vector>

#include "Vdesign.h"

using Number = uint64_t;
using Bytes = std::vector<uint8_t>;

enum { BAD_TASK = 2, BROKEN_RULE = 3, OUT_OF_CYCLES = 4 };
enum { TOKEN_BYTES = 4 };

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
  Number program, first, known, limit, end_token, ends, tokens, limit_cycles, seed;
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
  Number stop_at;          // cycle in which the host stops the run; 0: never
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

// The signals of an AXI port.
struct Port {
  CData &arvalid, &arready, &arlen, &awvalid, &awready, &awlen;
  CData &wvalid, &wready, &wlast, &bvalid, &bready, &bresp, &rvalid, &rready, &rlast, &rresp;
  IData &araddr, &awaddr;
  uint8_t *rdata, *wdata, *wstrb;
};

#define PORT(p)                                                                              \
  Port{top.p##arvalid, top.p##arready, top.p##arlen,   top.p##awvalid, top.p##awready,       \
       top.p##awlen,   top.p##wvalid,  top.p##wready,  top.p##wlast,   top.p##bvalid,        \
       top.p##bready,  top.p##bresp,   top.p##rvalid,  top.p##rready,  top.p##rlast,         \
       top.p##rresp,   top.p##araddr,  top.p##awaddr,  (uint8_t*)&top.p##rdata,              \
       (uint8_t*)&top.p##wdata, (uint8_t*)&top.p##wstrb}

#if PORTS == 1
static Port ports[] = {PORT(m_axi_)};
#elif PORTS == 2
static Port ports[] = {PORT(m_axi_port0_), PORT(m_axi_port1_)};
#else
static Port ports[] = {PORT(m_axi_port0_), PORT(m_axi_port1_), PORT(m_axi_port2_),
                       PORT(m_axi_port3_)};
#endif

// What memory holds, in stripes of a port's word, and what passed so far.
struct Store {
  Bytes image;
  Number read_bytes = 0, write_bytes = 0;
};

struct Burst {
  Number address, words, due;
  int answer;
};

struct Answer { Number due; int answer; };

enum { OKAY = 0, SLVERR = 2, DECERR = 3 };

// The memory behind a port.
struct Memory {
  const Settings& settings;
  Store& store;
  const Number number, size;  // of the port, and the bytes of its word
  Port& port;
  std::mt19937_64 random;
  std::deque<Burst> reads, writes;
  std::deque<Answer> answers;
  Number read_bursts = 0, write_bursts = 0, hangs_until = 0, next_word = 0;
  Offer ar{"AR"}, aw{"AW"}, w{"W"};

  Memory(const Settings& s, Store& content, Number n)
      : settings(s), store(content), number(n), size(s.bus_bytes / PORTS), port(ports[n]),
        random(s.seed + n) {}

  bool pauses() { return hangs() || (settings.stall && random() % 1000 < settings.stall); }
  bool hangs() const { return cycle < hangs_until; }
  bool rests() const { return settings.interval && cycle % settings.interval < settings.pause; }

  // Forgets all that is under way, as at a reset.
  void restart() {
    reads.clear(), writes.clear(), answers.clear();
    next_word = 0, delivered = answered = false;
    for (Offer* offer : {&ar, &aw, &w}) offer->waiting = false;
  }

  void drive() {
    const bool free = !settings.stall;
    port.arready = reads.size() < 8 && (free || port.arvalid) && !pauses();
    port.awready = writes.size() < 4 && (free || port.awvalid) && !pauses();
    port.wready = !writes.empty() && (free || port.wvalid) && !pauses();
    if (!port.bvalid || answered) {
      port.bvalid = !answers.empty() && answers.front().due <= cycle && !pauses();
      port.bresp = answers.empty() ? OKAY : answers.front().answer;
    }
    if (!port.rvalid || delivered) {
      const bool ready = !reads.empty() && reads.front().due <= cycle && next_word <= cycle;
      port.rvalid = ready && !rests() && !pauses();
      if (port.rvalid) {
        const Burst& burst = reads.front();
        memset(port.rdata, 0, size);
        if (inside(burst.address)) memcpy(port.rdata, at(burst.address), size);
        port.rlast = burst.words == 1;
        port.rresp = inside(burst.address) ? burst.answer : DECERR;
      }
    }
    delivered = answered = false;
  }

  void look() {
    ar.check(port.arvalid, port.arready, bytes((Number)port.araddr << 8 | port.arlen));
    aw.check(port.awvalid, port.awready, bytes((Number)port.awaddr << 8 | port.awlen));
    w.check(port.wvalid, port.wready, Bytes(port.wdata, port.wdata + size));
    if (port.arvalid && port.arready) {
      reads.push_back(burst(port.araddr, port.arlen));
      if (++read_bursts == settings.fails_at) reads.back().answer = SLVERR;
      if (read_bursts == settings.hangs_at) hang();
    }
    if (port.rvalid && port.rready) {
      delivered = true;
      store.read_bytes += size;
      next_word = cycle + 1 + settings.gap;
      Burst& burst = reads.front();
      burst.address += size;
      if (!--burst.words) reads.pop_front();
    }
    if (port.wvalid && port.wready) take_word();
    if (port.bvalid && port.bready) answered = true, answers.pop_front();
    if (port.awvalid && port.awready) {
      writes.push_back(burst(port.awaddr, port.awlen));
      if (++write_bursts == settings.write_fails_at) writes.back().answer = SLVERR;
      if (write_bursts == settings.write_hangs_at) hang();
    }
  }

 private:
  bool delivered = false, answered = false;

  static Bytes bytes(Number field) { return Bytes((uint8_t*)&field, (uint8_t*)(&field + 1)); }

  Burst burst(Number address, Number length) {
    const Number words = length + 1;
    require(address % size == 0, "a burst is not aligned to the bus");
    require(address / 4096 == (address + words * size - 1) / 4096, "a burst crosses 4 KB");
    return {address, words, cycle + settings.latency, OKAY};
  }

  // Where the word at an address of this port stands.
  Number place(Number address) const { return (address / size * PORTS + number) * size; }
  bool inside(Number address) const { return place(address) + size <= store.image.size(); }
  uint8_t* at(Number address) { return store.image.data() + place(address); }

  void hang() { hangs_until = settings.hangs_for ? cycle + settings.hangs_for : ~Number(0); }

  void take_word() {
    Burst& burst = writes.front();
    require(port.wlast == (burst.words == 1), "wlast is not on the last word");
    for (Number n = 0; n < size; n++) {
      if (!(port.wstrb[n / 8] >> n % 8 & 1) || !inside(burst.address)) continue;
      at(burst.address)[n] = port.wdata[n];
      store.write_bytes++;
    }
    tell(place(burst.address));
    if (!inside(burst.address)) burst.answer = DECERR;
    burst.address += size;
    if (--burst.words) return;
    answers.push_back({cycle + settings.latency, burst.answer});
    writes.pop_front();
  }

  // Says so when what was written is a token, alone.
  void tell(Number address) const {
    Number first = size, bytes = 0;
    for (Number n = size; n--;)
      if (port.wstrb[n / 8] >> n % 8 & 1) first = n, bytes++;
    const Number at = address + first - settings.tokens, position = at / TOKEN_BYTES;
    if (bytes != TOKEN_BYTES || address + first < settings.tokens || position > settings.limit)
      return;
    uint32_t token;
    memcpy(&token, store.image.data() + address + first, TOKEN_BYTES);
    printf("%llu %u %llu %llu %llu\n", (unsigned long long)position, token,
           (unsigned long long)cycle, (unsigned long long)store.read_bytes,
           (unsigned long long)store.write_bytes);
    fflush(stdout);
  }
};
