/* Prints the class that a packed network sees in a raw file of bytes or floats, its values in the
 * order of the input's shape:
 *
 *   classify models/pretrained/fashion_mnist_resnet_p4.tbn image.raw
 */
#include <stdio.h>
#include <stdlib.h>
#include <tbn/tbn_c.h>

static void fail(const char* problem, int code) {
  fprintf(stderr, "classify: %s\n", problem);
  exit(code);
}

static void check(tbn_status status) {
  if (status != TBN_OK) fail(tbn_last_error(), status);
}

/* Reads `count` floats, or as many bytes, which become floats. */
static void read_values(const char* path, float* values, size_t count) {
  FILE* file = fopen(path, "rb");
  const size_t size = file == NULL ? 0 : fread(values, 1, count * sizeof(float), file);
  const unsigned char* bytes = (const unsigned char*)values;
  size_t i;
  if (size == 0 || fgetc(file) != EOF || (size != count && size != count * sizeof(float))) {
    fail("the input is missing or has a wrong size", TBN_ERROR_DATA);
  }
  fclose(file);
  /* From the last to the first: value i covers the bytes 4 i to 4 i + 3, which are done with. */
  for (i = size == count ? count : 0; i-- > 0;) values[i] = bytes[i];
}

int main(int argc, char** argv) {
  tbn_network* network;
  tbn_session* session;
  size_t inputs, classes, best = 0, i;
  float *values, *logits;
  if (argc != 3) fail("usage: classify <network.tbn> <input.raw>", TBN_ERROR_ARGUMENT);
  check(tbn_network_load(argv[1], &network));
  check(tbn_network_input_count(network, &inputs));
  check(tbn_network_output_count(network, &classes));
  check(tbn_session_create(network, TBN_BACKEND_EXACT, 1, &session));
  values = malloc(inputs * sizeof(float));
  logits = malloc(classes * sizeof(float));
  if (values == NULL || logits == NULL) fail("out of memory", TBN_ERROR_SYSTEM);
  read_values(argv[2], values, inputs);
  check(tbn_session_run(session, values, inputs, 1, logits, classes));
  for (i = 1; i < classes; ++i) {
    if (logits[i] > logits[best]) best = i;
  }
  printf("%lu\n", (unsigned long)best);
  free(values);
  free(logits);
  tbn_session_free(session);
  tbn_network_free(network);
  return 0;
}
