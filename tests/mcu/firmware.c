/* Start-up, semihosting and SysTick of an ARM Cortex-M; see firmware.h. */
#include "firmware.h"

#include <string.h>

extern uint32_t data_load[], data_start[], data_end[], bss_start[], bss_end[], stack_low[],
    stack_top[];
int main(void);

void reset(void);
static void fault(void);
static void tick(void);

/* Where the stack begins, then reset, NMI, hard fault, memory, bus and usage faults, ..., SysTick.
 */
typedef struct {
  uint32_t* stack;
  void (*handlers[15])(void);
} vector_table;
__attribute__((section(".vectors"), used)) static const vector_table vectors = {
    stack_top,
    {reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, tick}};

void reset(void) {
  memcpy(data_start, data_load, (uint32_t)((uint8_t*)data_end - (uint8_t*)data_start));
  memset(bss_start, 0, (uint32_t)((uint8_t*)bss_end - (uint8_t*)bss_start));
  host_exit(main());
}

static void fault(void) {
  host_print("fault\n");
  host_exit(70);
}

/* ---- semihosting ------------------------------------------------------------------------------
 */

static uint32_t host_call(uint32_t operation, const void* arguments) {
  register uint32_t r0 __asm__("r0") = operation;
  register const void* r1 __asm__("r1") = arguments;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

int host_open(const char* path, int mode) {
  const uint32_t arguments[] = {(uint32_t)path, (uint32_t)mode, (uint32_t)strlen(path)};
  return (int)host_call(0x01, arguments);
}

uint32_t host_read(int file, void* bytes, uint32_t count) {
  const uint32_t arguments[] = {(uint32_t)file, (uint32_t)bytes, count};
  return host_call(0x06, arguments);
}

uint32_t host_write(int file, const void* bytes, uint32_t count) {
  const uint32_t arguments[] = {(uint32_t)file, (uint32_t)bytes, count};
  return host_call(0x05, arguments);
}

void host_close(int file) {
  const uint32_t arguments[] = {(uint32_t)file};
  host_call(0x02, arguments);
}

void host_print(const char* text) { host_call(0x04, text); }

void host_print_number(const char* name, uint32_t value) {
  char digits[16];
  char* at = digits + sizeof digits - 1;
  *at = 0;
  *--at = '\n';
  do {
    *--at = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  host_print(name);
  host_print(" ");
  host_print(at);
}

void host_exit(int code) {
  const uint32_t arguments[] = {0x20026, (uint32_t)code}; /* the program ended by itself */
  host_call(0x20, arguments);
  for (;;) {
  }
}

/* ---- instructions -----------------------------------------------------------------------------
 */

static volatile uint32_t* const systick = (volatile uint32_t*)0xe000e010;
static const uint32_t kReload = 0xffffff;
static volatile uint32_t wraps;
static uint32_t calibration_ticks;

enum { kLoops = 20000, kInstructionsPerLoop = 4 };

static void tick(void) { ++wraps; }

static void restart(void) {
  systick[0] = 0;
  wraps = 0;
  systick[1] = kReload;
  systick[2] = 0;
  systick[0] = 7; /* the processor's clock, interrupts, on */
}

static uint64_t ticks(void) {
  const uint32_t before = wraps;
  uint32_t value = systick[2];
  if (wraps != before) value = systick[2];
  return (uint64_t)wraps * (kReload + 1) + (kReload - value);
}

__attribute__((noinline)) static void known_loop(uint32_t loops) {
  __asm__ volatile(
      ".syntax unified\n"
      "1: nop\n nop\n subs %0, %0, #1\n bne 1b\n"
      : "+l"(loops)
      :
      : "cc");
}

void start_count(void) {
  restart();
  known_loop(kLoops);
  calibration_ticks = (uint32_t)ticks();
  restart();
}

uint32_t counted_instructions(void) {
  const uint64_t instructions = (uint64_t)kLoops * kInstructionsPerLoop;
  return (uint32_t)(ticks() * instructions / calibration_ticks);
}

/* ---- stack ------------------------------------------------------------------------------------
 */

static const uint32_t kPaint = 0xa5c3f00d;

static uint32_t* stack_here(void) {
  uint32_t* here;
  __asm__ volatile("mov %0, sp" : "=r"(here));
  return here;
}

static uint32_t* painted_from;

void paint_stack(void) {
  painted_from = stack_here();
  for (uint32_t* word = stack_low; word < painted_from - 16; ++word) *word = kPaint;
}

uint32_t deepest_stack(void) {
  const uint32_t* word = stack_low;
  while (word < painted_from && *word == kPaint) ++word;
  return (uint32_t)((const uint8_t*)painted_from - (const uint8_t*)word);
}
