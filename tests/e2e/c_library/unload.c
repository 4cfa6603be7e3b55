/* Loads libtbn, runs a network in this thread and another, lets errors happen in both, and unloads
 * it, three times: nothing of it may stay mapped, and nothing crash. Arguments: the library, a
 * packed network of 784 inputs and 10 outputs. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <tbn/tbn_c.h>

static const char* model;
static void* library;

#define FUNCTION(name) __typeof__(name)* const f_##name = (__typeof__(name)*)dlsym(library, #name)

static void* use(void* failed) {
  static const float pixels[784];
  float logits[10];
  tbn_network* network;
  tbn_session* session;
  FUNCTION(tbn_network_load);
  FUNCTION(tbn_network_free);
  FUNCTION(tbn_session_create);
  FUNCTION(tbn_session_run);
  FUNCTION(tbn_session_free);
  FUNCTION(tbn_last_error);
  *(int*)failed = f_tbn_network_load("/nowhere/x.tbn", &network) != TBN_ERROR_DATA ||
                  strstr(f_tbn_last_error(), "/nowhere/x.tbn") == NULL ||
                  f_tbn_network_load(model, &network) != TBN_OK ||
                  f_tbn_session_create(network, TBN_BACKEND_EXACT, 2, &session) != TBN_OK ||
                  f_tbn_session_run(session, pixels, 784, 1, logits, 9) != TBN_ERROR_ARGUMENT ||
                  f_tbn_session_run(session, pixels, 784, 1, logits, 10) != TBN_OK;
  f_tbn_session_free(session);
  f_tbn_network_free(network);
  return NULL;
}

static int is_mapped(const char* name) {
  char line[4096];
  int found = 0;
  FILE* maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps) != NULL) found |= strstr(line, name) != NULL;
  fclose(maps);
  return found;
}

int main(int argc, char** argv) {
  pthread_t thread;
  int round, failed[2];
  if (argc != 3) return 2;
  model = argv[2];
  for (round = 0; round < 3; ++round) {
    library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL || !is_mapped("libtbn.so")) {
      fprintf(stderr, "unload: %s\n", dlerror());
      return 1;
    }
    use(&failed[0]);
    pthread_create(&thread, NULL, use, &failed[1]);
    pthread_join(thread, NULL);
    if (failed[0] || failed[1] || dlclose(library) != 0) return 3;
    if (is_mapped("libtbn.so")) return 4;
  }
  puts("unloaded");
  return 0;
}
