#include "kllm_chip.h"

#include <stddef.h>

#define READ(register) chip->read(chip->bus, offsetof(kllm_registers_t, register))
#define WRITE(register, word) chip->write(chip->bus, offsetof(kllm_registers_t, register), word)
#define FIELD(word, field) (((word) & KLLM_REGISTERS__##field##_bm) >> KLLM_REGISTERS__##field##_bp)

static uint32_t read_mapped(void *bus, uint32_t offset) {
    return ((volatile uint32_t *)bus)[offset / sizeof(uint32_t)];
}

static void write_mapped(void *bus, uint32_t offset, uint32_t word) {
    ((volatile uint32_t *)bus)[offset / sizeof(uint32_t)] = word;
}

struct kllm_chip kllm_mapped(volatile uint32_t *base) {
    struct kllm_chip chip;
    chip.read = read_mapped;
    chip.write = write_mapped;
    chip.bus = (void *)base;
    return chip;
}

bool kllm_identify(const struct kllm_chip *chip, struct kllm_identity *found) {
    uint32_t version, lanes;
    if (READ(identity) != KLLM_REGISTERS__IDENTITY__VALUE_reset) return false;
    version = READ(version);
    lanes = READ(lanes);
    found->major = (uint16_t)FIELD(version, VERSION__MAJOR);
    found->minor = (uint16_t)FIELD(version, VERSION__MINOR);
    found->inputs = (uint16_t)FIELD(lanes, LANES__INPUTS);
    found->outputs = (uint16_t)FIELD(lanes, LANES__OUTPUTS);
    found->bus_bytes = (uint16_t)READ(bus);
    return found->major == KLLM_REGISTERS__VERSION__MAJOR_reset; /* a minor one only adds */
}

uint32_t kllm_limit(uint32_t known, uint32_t count) {
    /* The last token is chosen at the position before it. */
    return known + count - 1;
}

bool kllm_start(const struct kllm_chip *chip, const struct kllm_run *run) {
    if (run->limit > KLLM_REGISTERS__LIMIT__POSITION_bm) return false;
    if (run->first >= run->limit) return false;
    if (kllm_running(chip)) return false;
    kllm_clear(chip);
    WRITE(program, run->program);
    WRITE(first, run->first);
    WRITE(known, run->known);
    WRITE(limit, run->limit);
    WRITE(end_token, run->end_token);
    WRITE(ends, run->ends ? KLLM_REGISTERS__ENDS__TOKEN_bm : 0);
    WRITE(start, KLLM_REGISTERS__START__RUN_bm);
    return true;
}

void kllm_interrupt(const struct kllm_chip *chip, bool enable) {
    WRITE(enables, enable ? KLLM_REGISTERS__ENABLES__ENDED_bm : 0);
}

bool kllm_running(const struct kllm_chip *chip) {
    return READ(running) & KLLM_REGISTERS__RUNNING__RUN_bm;
}

uint32_t kllm_position(const struct kllm_chip *chip) {
    return READ(position);
}

bool kllm_ended(const struct kllm_chip *chip, enum kllm_fault *fault) {
    if (!(READ(events) & KLLM_REGISTERS__EVENTS__ENDED_bm)) return false;
    *fault = (enum kllm_fault)READ(fault);
    return true;
}

bool kllm_wait(const struct kllm_chip *chip, uint32_t polls, enum kllm_fault *fault) {
    for (; polls; polls--)
        if (kllm_ended(chip, fault)) return true;
    return false;
}

void kllm_stop(const struct kllm_chip *chip) {
    WRITE(stop, KLLM_REGISTERS__STOP__RUN_bm);
}

void kllm_clear(const struct kllm_chip *chip) {
    WRITE(events, KLLM_REGISTERS__EVENTS__ENDED_bm | KLLM_REGISTERS__EVENTS__FAILED_bm);
}

const char *kllm_fault_name(enum kllm_fault fault) {
    switch (fault) {
        case KLLM_FAULT_NONE: return "none";
        case KLLM_FAULT_INSTRUCTION: return "instruction";
        case KLLM_FAULT_MEMORY: return "memory";
        case KLLM_FAULT_NUMBER: return "number";
        case KLLM_FAULT_STOPPED: return "stopped";
        case KLLM_FAULT_HANG: return "hang";
    }
    return "unknown";
}
