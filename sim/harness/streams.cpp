// Drives any design that speaks in streams, without Python: reads a task, writes what came.
//
//   harness TASK RESULT
//
// ports.h, generated, lists the design's ports; harness.py writes the task and reads the result.
// All are little-endian 64-bit numbers, but for words, which take whole bytes each.
//
// One turn of the loop is a clock cycle. Inputs are driven while the clock is low; then everything
// has settled, so what is seen is what the rising edge samples. A request that is taken in a cycle
// is answered from the next one on.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "Vdesign.h"
#include "verilated.h"

using Number = uint64_t;
using Word = std::vector<uint8_t>;

// A port's value begins at its lowest byte, however wide Verilator made its type.
struct Port {
  const char* name;
  void* bits;
  int width;
  size_t bytes() const { return (width + 7) / 8; }
  const uint8_t* begin() const { return static_cast<uint8_t*>(bits); }
  const uint8_t* end() const { return begin() + bytes(); }
  void set(const uint8_t* from) const { memcpy(bits, from, bytes()); }
  Word get() const { return Word(begin(), end()); }
  bool equals(const Word& word) const { return !memcmp(bits, word.data(), bytes()); }
};

struct Stream {
  const char* name;
  bool input;
  Port payload;
  CData *valid, *ready;
};

static Vdesign top;
#include "ports.h"  // STREAMS, INPUTS and OUTPUTS of `top`

[[noreturn]] static void fail(int status, const std::string& text) {
  printf("error: %s\n", text.c_str());
  exit(status);
}
enum { BAD_TASK = 2, BROKEN_RULE = 3, OUT_OF_CYCLES = 4 };

static Number number(std::istream& file) {
  Number value = 0;
  if (!file.read((char*)&value, sizeof value)) fail(BAD_TASK, "the task ends early");
  return value;
}

static Word bytes(std::istream& file, size_t count) {
  Word word(count);
  if (!file.read((char*)word.data(), count)) fail(BAD_TASK, "the task ends early");
  return word;
}

static void put(std::ostream& file, Number value) { file.write((char*)&value, sizeof value); }

// Holds back at random: mostly for a cycle, now and then long enough to fill every queue.
struct Pauses {
  std::mt19937_64 random;
  double chance;
  int left = 0;
  bool operator()() {
    if (left) return left--;
    if (chance == 0 || random() % 1000 >= chance * 1000) return false;
    if (random() % 50 == 0) left = 20 + random() % 40;
    return true;
  }
};

// One of the design's streams and what this program does at its other end.
struct End {
  const Stream& stream;
  Pauses pauses;
  Word words;  // of an input: all there is to send, unless a memory answers
  std::deque<Word> answers;
  End* after = nullptr;  // the input that must be done before
  size_t count = 0;      // words to send, or to come
  bool keeps = false;    // whether an output's words go into the result
  bool memory = false;
  std::vector<Number> cycles;  // of each transfer
  bool waiting = false;        // offered, not yet taken
  Word offered;

  bool done() const { return cycles.size() >= count; }

  bool has_word() const {
    if (memory) return !answers.empty();
    return !done() && (!after || after->done());
  }

  // Drives one cycle. An offer stays; while there is none, noise shows that it does not matter.
  void drive() {
    const Port& port = stream.payload;
    if (!stream.input) {
      // With pauses, only after a cycle with `valid` high: a design that waits for `ready` hangs.
      *stream.ready = (pauses.chance == 0 || *stream.valid) && !pauses();
      return;
    }
    if (waiting) return;
    waiting = has_word() && !pauses();
    *stream.valid = waiting;
    if (waiting)
      port.set(memory ? answers.front().data() : words.data() + cycles.size() * port.bytes());
    else if (pauses.chance)
      scramble();
  }

  void scramble() {
    Word noise(stream.payload.bytes());
    for (auto& byte : noise) byte = pauses.random();
    if (stream.payload.width % 8) noise.back() &= (1 << stream.payload.width % 8) - 1;
    stream.payload.set(noise.data());
  }

  // Looks at what has settled; returns whether a word went over.
  bool look(Number cycle) {
    if (!stream.input) check(cycle);
    const bool taken = *stream.valid && *stream.ready;
    if (taken) {
      cycles.push_back(cycle);
      if (keeps) words.insert(words.end(), stream.payload.begin(), stream.payload.end());
      if (stream.input && memory) answers.pop_front();
    }
    if (stream.input) waiting = waiting && !taken;
    return taken;
  }

  void check(Number cycle) {
    const std::string where = std::string(stream.name) + ", cycle " + std::to_string(cycle) + ": ";
    if (waiting && !*stream.valid) fail(BROKEN_RULE, where + "valid fell before the word was taken");
    if (waiting && !stream.payload.equals(offered))
      fail(BROKEN_RULE, where + "the payload changed while it waited");
    if (pauses.chance && *stream.valid) look_away(where);
    waiting = *stream.valid && !*stream.ready;
    if (waiting) offered = stream.payload.get();
  }

  // An offer must not depend on whether it is taken, within the cycle.
  void look_away(const std::string& where) {
    const Word before = stream.payload.get();
    *stream.ready ^= 1;
    top.eval();
    if (!*stream.valid) fail(BROKEN_RULE, where + "valid depends on ready");
    if (!stream.payload.equals(before)) fail(BROKEN_RULE, where + "the payload depends on ready");
    *stream.ready ^= 1;
    top.eval();
  }
};

struct Field {
  Number offset, width, count;
  explicit Field(std::istream& file) : offset(number(file)), width(number(file)), count(number(file)) {}
  Number of(const uint8_t* bits, size_t n) const {
    Number value = 0;
    for (Number k = 0, place = offset + n * width; k < width; k++, place++)
      value |= Number(bits[place / 8] >> place % 8 & 1) << k;
    return value;
  }
};

// What answers a stream of requests: a word for each row that the request names, side by side.
struct Memory {
  End &request, &answer;
  Field row, column;
  Number rows, columns, size;
  Word image;

  void serve() {
    const uint8_t* bits = request.stream.payload.begin();
    Word word;
    for (Number n = 0; n < row.count; n++) {
      const Number r = row.of(bits, n), c = column.of(bits, 0);
      if (c >= columns) fail(BROKEN_RULE, std::string(request.stream.name) + " names no word");
      const auto* from = image.data() + (r * columns + c) * size;
      if (r < rows) word.insert(word.end(), from, from + size);
      else word.insert(word.end(), size, 0);  // a lane that does not count
    }
    word.resize(answer.stream.payload.bytes());
    answer.answers.push_back(word);
  }
};

static void clock(int level) { top.clk = level, top.eval(); }

struct Task {
  Number limit, report;
  std::deque<End> ends;  // in the order of STREAMS
  std::vector<Memory> memories;
  size_t wanted = 0, come = 0;

  explicit Task(std::istream& file) : limit(number(file)), report(number(file)) {
    const Number seed = number(file);
    const double chance = number(file) / 1000.0;
    for (const Stream& stream : STREAMS)
      ends.push_back({stream, {std::mt19937_64(seed + ends.size()), chance}});
    for (const Port& port : INPUTS) port.set(bytes(file, port.bytes()).data());
    for (Number n = number(file); n--;) {  // what to send, and after which other input
      End& end = ends.at(number(file));
      const Number after = number(file);
      if (after) end.after = &ends.at(after - 1);
      end.count = number(file);
      end.words = bytes(file, end.count * end.stream.payload.bytes());
    }
    for (Number n = number(file); n--;) {  // what must come
      End& end = ends.at(number(file));
      end.keeps = true;
      wanted += end.count = number(file);
    }
    for (Number n = number(file); n--;) {
      End &request = ends.at(number(file)), &answer = ends.at(number(file));
      const Field row(file), column(file);
      const Number rows = number(file), columns = number(file), size = number(file);
      memories.push_back({request, answer, row, column, rows, columns, size,
                          bytes(file, rows * columns * size)});
      answer.memory = true;
    }
  }

  void run_cycle(Number cycle) {
    for (End& end : ends) end.drive();
    clock(0);
    std::vector<Memory*> asked;
    for (End& end : ends) {
      if (!end.look(cycle)) continue;
      if (end.keeps && ++come && end.cycles.size() > end.count)
        fail(BROKEN_RULE, std::string(end.stream.name) + ": a word more than there should be");
      for (Memory& memory : memories)
        if (&memory.request == &end) asked.push_back(&memory);
    }
    for (Memory* memory : asked) memory->serve();
    clock(1);
  }

  // Says where everything stands: what waits for what is then seen.
  [[noreturn]] void give_up() const {
    std::string text = "not done after " + std::to_string(limit) + " cycles:";
    for (const End& end : ends) {
      text += std::string(" ") + end.stream.name + " " + std::to_string(end.cycles.size());
      if (end.count) text += " of " + std::to_string(end.count);
      text += std::string(*end.stream.valid ? " valid" : "") + (*end.stream.ready ? " ready;" : ";");
    }
    fail(OUT_OF_CYCLES, text);
  }

  void write(std::ostream& file, Number cycles, Number nanoseconds) const {
    put(file, cycles);
    put(file, nanoseconds);
    for (const End& end : ends) {
      put(file, end.cycles.size());
      for (const Number cycle : end.cycles) put(file, cycle);
      if (end.keeps) file.write((const char*)end.words.data(), end.words.size());
    }
    for (const Port& port : OUTPUTS) file.write((const char*)port.bits, port.bytes());
  }
};

static Number nanoseconds() {  // the processor's own clock is too coarse for short runs
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * Number(1000000000) + now.tv_nsec;
}

int main(int arguments, char** names) {
  if (arguments != 3) fail(BAD_TASK, "usage: harness TASK RESULT");
  std::ifstream file(names[1], std::ios::binary);
  Task task(file);

  top.rst = 1;
  for (int n = 0; n < 2; n++) clock(0), clock(1);
  top.rst = 0;

  const Number started = nanoseconds();
  Number cycle = 0;
  // After the last word some cycles more, in which no other may come.
  for (int after = 0; after < 12; after += task.come == task.wanted, cycle++) {
    if (cycle == task.limit) task.give_up();
    task.run_cycle(cycle);
    if (task.report && cycle % task.report == 0)
      printf("%.4f\n", double(task.come) / task.wanted), fflush(stdout);
  }
  const Number took = nanoseconds() - started;
  std::ofstream result(names[2], std::ios::binary);
  task.write(result, cycle, took);
  return result.flush() ? 0 : BAD_TASK;
}
