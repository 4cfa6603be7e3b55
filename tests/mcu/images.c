/* Runs a model on the images of images.bin, one after another, and writes its outputs to
 * outputs.bin; built with -DMODEL_HEADER="..." -DMODEL=mnist_mlp -DMODEL_OUTPUT=int32_t and
 * -DMODEL_VALUE=uint8_t. On the host it is built with -DON_HOST. */
#include MODEL_HEADER

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define MODEL_INPUT JOIN(MODEL, _input)
#define MODEL_RUN JOIN(MODEL, _run)

#ifdef ON_HOST
#include <stdio.h>

int main(void) {
  FILE* images = fopen("images.bin", "rb");
  FILE* outputs = fopen("outputs.bin", "wb");
  if (!images || !outputs) return 1;
  while (fread(MODEL_INPUT(), sizeof(MODEL_VALUE), INPUT_SIZE, images) == INPUT_SIZE) {
    const MODEL_OUTPUT* values = MODEL_RUN();
    if (fwrite(values, sizeof *values, OUTPUTS, outputs) != OUTPUTS) return 1;
  }
  fclose(images);
  return fclose(outputs) == 0 ? 0 : 1;
}

#else
#include "firmware.h"

int main(void) {
  const int images = host_open("images.bin", 1);
  const int outputs = host_open("outputs.bin", 5);
  uint32_t instructions = 0;
  if (images < 0 || outputs < 0) return 1;
  paint_stack();
  while (host_read(images, MODEL_INPUT(), INPUT_SIZE * sizeof(MODEL_VALUE)) == 0) {
    start_count();
    const MODEL_OUTPUT* values = MODEL_RUN();
    instructions = counted_instructions();
    if (host_write(outputs, values, OUTPUTS * sizeof *values) != 0) return 1;
  }
  host_close(outputs);
  host_print_number("instructions", instructions);
  host_print_number("stack", deepest_stack());
  return 0;
}
#endif
