/*
 * Driver of a KLLM chip, through its registers alone. C11, freestanding; C++ takes it, too.
 *
 *     struct kllm_chip chip = kllm_mapped((volatile uint32_t *)0x40000000);
 *     struct kllm_run run = {.program = program, .known = 4, .limit = kllm_limit(4, 100)};
 *     struct kllm_identity is;
 *     enum kllm_fault fault;
 *
 *     if (kllm_identify(&chip, &is) && kllm_start(&chip, &run) && kllm_wait(&chip, POLLS, &fault))
 *         print(kllm_fault_name(fault));
 *
 * Program, model and tokens are in memory before a run begins, as a compiler has put them there:
 * where the tokens are is said in the program. What the registers hold is in kllm_registers.h.
 */
#ifndef KLLM_CHIP_H
#define KLLM_CHIP_H

#include <stdbool.h>
#include <stdint.h>

#include "kllm_registers.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How the host reaches the registers; an offset is in bytes, and `bus` is handed on as it is. */
struct kllm_chip {
    uint32_t (*read)(void *bus, uint32_t offset);
    void (*write)(void *bus, uint32_t offset, uint32_t word);
    void *bus;
};

/* Returns how to reach registers that the host has in its memory, the first one at `base`. */
struct kllm_chip kllm_mapped(volatile uint32_t *base);

/* Which chip it is: a program is compiled for one size of array and bus. */
struct kllm_identity {
    uint16_t major, minor;   /* version of the registers */
    uint16_t inputs, outputs; /* lanes of the array */
    uint16_t bus_bytes;      /* of a word of memory */
};

/* Returns whether it is a KLLM chip with registers that this driver knows. */
bool kllm_identify(const struct kllm_chip *chip, struct kllm_identity *found);

/* A run: positions from `first` to before `limit`. */
struct kllm_run {
    uint32_t program;   /* its address, in bytes */
    uint32_t first;     /* position to begin with; those before are in the cache */
    uint32_t known;     /* tokens that are there from position 0 on */
    uint32_t limit;
    uint32_t end_token; /* with `ends`: the run ends behind this token, too */
    bool ends;
};

/* Returns the limit of a run that makes `count` tokens, 1 or more, after those that are known. */
uint32_t kllm_limit(uint32_t known, uint32_t count);

/* Starts a run, and forgets what happened before. Returns false, and does nothing, if a run is
 * under way or if there is no such run. */
bool kllm_start(const struct kllm_chip *chip, const struct kllm_run *run);

/* Lets the end of a run interrupt the host, or no longer. */
void kllm_interrupt(const struct kllm_chip *chip, bool enable);

bool kllm_running(const struct kllm_chip *chip);

/* Returns the position of the token at hand: so many tokens are done. */
uint32_t kllm_position(const struct kllm_chip *chip);

/* Returns whether a run has ended since the last start or clear, and then what ended it. For polling,
 * and for a handler of interrupts. */
bool kllm_ended(const struct kllm_chip *chip, enum kllm_fault *fault);

/* Asks so many times whether the run has ended; returns as `kllm_ended`. */
bool kllm_wait(const struct kllm_chip *chip, uint32_t polls, enum kllm_fault *fault);

/* Ends the run that is under way, behind its instruction: `kllm_ended` says when. */
void kllm_stop(const struct kllm_chip *chip);

/* Clears what has happened, and so the interrupt. */
void kllm_clear(const struct kllm_chip *chip);

/* Returns a fault's name, in small letters. */
const char *kllm_fault_name(enum kllm_fault fault);

#ifdef __cplusplus
}
#endif

#endif
