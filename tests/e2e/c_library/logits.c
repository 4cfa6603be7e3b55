/* Prints the logits of a packed network for a raw file of floats, one example after the other, as
 * hexadecimal floats: no digit is lost. */
#include <stdio.h>
#include <stdlib.h>
#include <tbn/tbn_c.h>

static void check(tbn_status status) {
  if (status != TBN_OK) {
    fprintf(stderr, "logits: %s\n", tbn_last_error());
    exit(status);
  }
}

int main(int argc, char** argv) {
  tbn_network* network;
  tbn_session* session;
  size_t inputs, outputs, i;
  float *values, *logits;
  FILE* file = argc == 3 ? fopen(argv[2], "rb") : NULL;
  if (file == NULL) return 2;
  check(tbn_network_load(argv[1], &network));
  check(tbn_network_input_count(network, &inputs));
  check(tbn_network_output_count(network, &outputs));
  check(tbn_session_create(network, TBN_BACKEND_EXACT, 2, &session));
  values = malloc(inputs * sizeof(float));
  logits = malloc(outputs * sizeof(float));
  if (values == NULL || logits == NULL) return 1;
  while (fread(values, sizeof(float), inputs, file) == inputs) {
    check(tbn_session_run(session, values, inputs, 1, logits, outputs));
    for (i = 0; i < outputs; ++i) printf("%a\n", (double)logits[i]);
  }
  fclose(file);
  free(values);
  free(logits);
  tbn_session_free(session);
  tbn_network_free(network);
  return 0;
}
