/* Runs packed networks from C, or from any language that calls C, without LibTorch: what
 * tbn/runtime.h offers, as C99. A network is loaded once and shared between threads; each thread
 * runs it through a session of its own. Link libtbn: `pkg-config --cflags --libs tbn`, or tbn::c in
 * CMake; or load it, ctypes.CDLL("libtbn.so.0.1") in Python. Linux, little-endian.
 *
 *   tbn_network* network = NULL;
 *   tbn_session* session = NULL;
 *   float pixels[784], logits[10];                        // pixels: raw 0..255
 *   if (tbn_network_load("fashion.tbn", &network) != TBN_OK ||
 *       tbn_session_create(network, TBN_BACKEND_EXACT, 2, &session) != TBN_OK) {
 *     fprintf(stderr, "%s\n", tbn_last_error());
 *     return 1;
 *   }
 *   tbn_network_free(network);                            // the session keeps what it needs
 *   read_image(pixels);
 *   if (tbn_session_run(session, pixels, 784, 1, logits, 10) != TBN_OK) {
 *     fprintf(stderr, "%s\n", tbn_last_error());
 *   }
 *   tbn_session_free(session);
 *
 * No function here ends the program or lets a C++ exception through. A null pointer, a wrong size
 * or an unknown number is an error that is returned. Out parameters are set to NULL or 0 first, so
 * they are defined after an error too. */
#ifndef TBN_TBN_C_H
#define TBN_TBN_C_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a call returns: the numbers are the exit codes of tbn's tools (docs/errors.md). */
typedef enum tbn_status {
  TBN_OK = 0,
  TBN_ERROR_SYSTEM = 1,    /* the machine failed: no permission, no memory; or a bug of tbn's */
  TBN_ERROR_ARGUMENT = 2,  /* what the caller asked for: a null pointer, a size, an option */
  TBN_ERROR_DATA = 3,      /* a model that is missing, damaged, foreign or too new */
  TBN_ERROR_NON_FINITE = 4 /* a number that is none; running a network does not return it today */
} tbn_status;

/* Which kernels run. More may come; a number that this tbn does not know is TBN_ERROR_ARGUMENT. */
typedef enum tbn_backend {
  TBN_BACKEND_EXACT = 0,     /* sums of signs by table look-ups, the one to use */
  TBN_BACKEND_REFERENCE = 1, /* plain loops, the oracle of the others */
  TBN_BACKEND_INT8 = 2       /* inputs of tiled layers rounded to 8 bits: faster, not exact */
} tbn_backend;

/* A loaded network. Nothing changes it: any number of threads may use one at the same time. */
typedef struct tbn_network tbn_network;

/* What one caller runs a network with: the memory of its activations, and its threads. One thread
 * at a time may use it, not always the same one. */
typedef struct tbn_session tbn_session;

/* The version of this library, "0.1.0". */
const char* tbn_version(void);

/* What went wrong in the last call of this thread that returned an error: one sentence in UTF-8 of
 * at most 8191 bytes; "" where none has. It may be printed on a terminal: of paths and names in it
 * '?' stands for control characters, line ends, marks that turn the direction of writing and bytes
 * that are no UTF-8. Valid until the next such call of this thread, and while the library stays
 * loaded. Calls that succeed leave it. */
const char* tbn_last_error(void);

/* Reads and checks the .tbn file at `path`. The file stays mapped into memory while the network or
 * a session of it lives: it may be deleted, or replaced by renaming another over it, but not
 * written into or cut short, which would change the network or end the program (SIGBUS). Who cannot
 * rule that out reads the file and calls tbn_network_parse. TBN_ERROR_DATA: no such file, no
 * regular file, truncated, damaged, no packed network, too new, or one that takes more than the
 * default limits below. TBN_ERROR_SYSTEM: it may not be
 * read, or memory is short. TBN_ERROR_ARGUMENT: a null pointer. */
tbn_status tbn_network_load(const char* path, tbn_network** network);

/* The same for the `size` bytes of a .tbn file in memory, at any address. They are copied and may
 * go afterwards. */
tbn_status tbn_network_parse(const void* bytes, size_t size, tbn_network** network);

/* How much a network may take to run, since a file of 400 bytes can ask for gigabytes, or for
 * years. Who loads files of strangers lowers them, and who has a larger network of his own raises
 * them. tbn_network_load and tbn_network_parse use the defaults. */
typedef struct tbn_limits {
  /* Of the weights as a session holds them, the activations of one example and what layers work on;
   * each further thread takes the activations once more. 0: the default, 2 GiB. */
  int64_t memory_bytes;
  /* For one example: multiply-adds, and values that are read or written. 0: the default, 10^12. A
   * core does some 10^9 to 10^11 in a second. */
  int64_t operations;
} tbn_limits;

/* The same within limits of the caller's; NULL: the defaults. TBN_ERROR_DATA: also a network that
 * exceeds them, where it is loaded, or where a session of it is made. TBN_ERROR_ARGUMENT: a null
 * pointer, or a limit below 0. */
tbn_status tbn_network_load_within(const char* path, const tbn_limits* limits,
                                   tbn_network** network);
tbn_status tbn_network_parse_within(const void* bytes, size_t size, const tbn_limits* limits,
                                    tbn_network** network);

/* Releases the caller's hold on a network; its sessions go on and keep what they need. NULL is
 * allowed. */
void tbn_network_free(tbn_network* network);

/* The shape of one example: `dims` points to `rank` sizes, outermost first, for example 1, 28, 28;
 * rows are contiguous. Valid while the network is not freed. The floats of an example are the
 * product of the sizes. Inputs are the raw values of the data set (pixels 0..255): the network
 * scales them itself. Outputs are logits, or the values of a forecast. TBN_ERROR_ARGUMENT: a null
 * pointer. */
tbn_status tbn_network_input_shape(const tbn_network* network, const int64_t** dims, size_t* rank);
tbn_status tbn_network_output_shape(const tbn_network* network, const int64_t** dims, size_t* rank);

/* The floats of one example: the product of the shape above. TBN_ERROR_ARGUMENT: a null pointer. */
tbn_status tbn_network_input_count(const tbn_network* network, size_t* count);
tbn_status tbn_network_output_count(const tbn_network* network, size_t* count);

/* The text that the file holds about itself under `key`, for example "tbn.trained_on" or
 * "tbn.accuracy", in UTF-8; NULL, and TBN_OK, where it holds none. Valid while the network is not
 * freed. TBN_ERROR_ARGUMENT: a null pointer. */
tbn_status tbn_network_metadata(const tbn_network* network, const char* key, const char** value);

/* How many such texts there are, and each of them, 0 to count - 1, sorted by key.
 * TBN_ERROR_ARGUMENT: a null pointer, or an index that is too large. */
tbn_status tbn_network_metadata_count(const tbn_network* network, size_t* count);
tbn_status tbn_network_metadata_at(const tbn_network* network, size_t index, const char** key,
                                   const char** value);

/* What class `index` is called, and column `index` of the rows that an input is made of (points,
 * series), in UTF-8; NULL, and TBN_OK, past the last one, and where the file does not say. Valid
 * while the network is not freed. TBN_ERROR_ARGUMENT: a null pointer. */
tbn_status tbn_network_class_name(const tbn_network* network, size_t index, const char** name);
tbn_status tbn_network_column_name(const tbn_network* network, size_t index, const char** name);

/* Makes an input of the network, `input_count` bytes for tbn_session_run_u8, of a decoded picture,
 * as the network was trained: the file says how. pixels: [height, width, channels], `size` bytes in
 * all; 1 channel also where the network takes three equal ones. `exif`: the orientation that the
 * picture's file says, 1 to 8 (1 where it says none). `fit` not 0: where the file brings no picture
 * to the network's size, resize one of another size as a whole instead of refusing it.
 * TBN_ERROR_ARGUMENT: a null pointer, sizes that are not these, a file that does not say how inputs
 * are made, or has a step that this tbn does not know. */
tbn_status tbn_prepare_image(const tbn_network* network, const uint8_t* pixels, size_t size,
                             int64_t height, int64_t width, int channels, int exif, int fit,
                             uint8_t* input, size_t input_count);

/* The same, floats for tbn_session_run, of a cloud of any number of points: [n, columns], n times
 * the columns floats. `category`: of the object, where the network is told it. `chosen`: NULL, or
 * room for as many numbers as the network takes points: which of the cloud's they are. */
tbn_status tbn_prepare_points(const tbn_network* network, const float* cloud, size_t cloud_count,
                              int64_t category, float* input, size_t input_count, int64_t* chosen,
                              size_t chosen_count);

/* The same of rows of a table, the oldest first: [steps of the network, columns]. `columns`: their
 * names, with others among them and in any order, or NULL: the network's, in its order. */
tbn_status tbn_prepare_rows(const tbn_network* network, const double* rows, size_t rows_count,
                            const char* const* columns, size_t column_count, float* input,
                            size_t input_count);

/* Makes a session. `backend` is a tbn_backend; `threads`, 1 to 1024, is how many the examples of a
 * batch are split over; results do not depend on it. TBN_ERROR_ARGUMENT: a null pointer, an unknown
 * backend, or threads out of range. TBN_ERROR_SYSTEM: memory or threads are short. */
tbn_status tbn_session_create(const tbn_network* network, int backend, int threads,
                              tbn_session** session);

/* Runs `batch` examples. input: [batch, input shape], input_count = batch * the input's count
 * floats; output: [batch, output shape], output_count = batch * the output's count floats, which
 * this call writes. The two must not overlap. A batch of 0 does nothing, and its pointers may be
 * null. TBN_ERROR_ARGUMENT: a null pointer, a negative batch, or counts that are not these; nothing
 * is written then. */
tbn_status tbn_session_run(tbn_session* session, const float* input, size_t input_count,
                           int64_t batch, float* output, size_t output_count);

/* The same of bytes, as images are decoded to: each stands for the float of its value. */
tbn_status tbn_session_run_u8(tbn_session* session, const uint8_t* input, size_t input_count,
                              int64_t batch, float* output, size_t output_count);

/* Ends a session and its threads. NULL is allowed. */
void tbn_session_free(tbn_session* session);

#ifdef __cplusplus
}
#endif

#endif /* TBN_TBN_C_H */
