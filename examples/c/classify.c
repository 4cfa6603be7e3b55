/* Prints the class that a packed network sees in a raw file of bytes or floats, its values in the
 * order of the input's shape:
 *
 *   classify models/pretrained/fashion_mnist_resnet_p4.tbn image.raw
 */
#include <stdio.h>
#include <stdlib.h>
#include <tbn/tbn_c.h>

/* Reads `count` floats, or as many bytes, which become floats; 0 where the file has another size.
 */
static int read_values(const char* path, float* values, size_t count) {
  unsigned char* raw = malloc(count * sizeof(float) + 1);
  FILE* file = fopen(path, "rb");
  size_t size = 0, i;
  if (raw != NULL && file != NULL) size = fread(raw, 1, count * sizeof(float) + 1, file);
  if (size == count) {
    for (i = 0; i < count; ++i) values[i] = raw[i];
  } else if (size == count * sizeof(float)) {
    rewind(file);
    if (fread(values, sizeof(float), count, file) != count) size = 0;
  }
  if (file != NULL) fclose(file);
  free(raw);
  return size == count || size == count * sizeof(float);
}

static int print_class(const char* model, const char* path) {
  tbn_network* network = NULL;
  tbn_session* session = NULL;
  float *input = NULL, *logits = NULL;
  size_t inputs = 0, classes = 0, best = 0, i;
  int status = tbn_network_load(model, &network);
  if (status == TBN_OK) status = tbn_network_input_count(network, &inputs);
  if (status == TBN_OK) status = tbn_network_output_count(network, &classes);
  if (status == TBN_OK) status = tbn_session_create(network, TBN_BACKEND_EXACT, 1, &session);
  if (status != TBN_OK) {
    fprintf(stderr, "classify: %s\n", tbn_last_error());
  } else if ((input = malloc(inputs * sizeof(float))) == NULL ||
             (logits = malloc(classes * sizeof(float))) == NULL) {
    fprintf(stderr, "classify: out of memory\n");
    status = TBN_ERROR_SYSTEM;
  } else if (!read_values(path, input, inputs)) {
    fprintf(stderr, "classify: %s is missing or has a wrong size\n", path);
    status = TBN_ERROR_DATA;
  } else if ((status = tbn_session_run(session, input, inputs, 1, logits, classes)) != TBN_OK) {
    fprintf(stderr, "classify: %s\n", tbn_last_error());
  } else {
    for (i = 1; i < classes; ++i) best = logits[i] > logits[best] ? i : best;
    printf("%lu\n", (unsigned long)best);
  }
  free(input);
  free(logits);
  tbn_session_free(session);
  tbn_network_free(network);
  return status;
}

int main(int argc, char** argv) {
  if (argc == 3) return print_class(argv[1], argv[2]);
  fprintf(stderr, "usage: classify <network.tbn> <input.raw>\n");
  return TBN_ERROR_ARGUMENT;
}
