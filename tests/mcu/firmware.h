/* What the firmware of the tests needs of its board: the emulator's semihosting for files and
 * output, a count of instructions, and the depth that the stack has reached. */
#ifndef TBN_TEST_FIRMWARE_H
#define TBN_TEST_FIRMWARE_H

#include <stdint.h>

int host_open(const char* path, int mode); /* modes as fopen's: 1 is "rb", 5 is "wb" */
/* Both return the bytes that were not transferred. */
uint32_t host_read(int file, void* bytes, uint32_t count);
uint32_t host_write(int file, const void* bytes, uint32_t count);
void host_close(int file);
void host_print(const char* text);
void host_print_number(const char* name, uint32_t value); /* "name value\n" */
void host_exit(int code);

/* Instructions since start_count(), in an emulator that counts virtual time by instructions
 * (-icount): a loop of known length says how long one takes. */
void start_count(void);
uint32_t counted_instructions(void);

/* The most bytes of stack that were in use since paint_stack(). */
void paint_stack(void);
uint32_t deepest_stack(void);

#endif
