/** @file
 * Runs packed networks from C, or from any language that calls C, without LibTorch: what
 * tbn/runtime.h offers, as C99. A network is loaded once and shared between threads; each thread
 * runs it through a session of its own. Link libtbn: `pkg-config --cflags --libs tbn`, or tbn::c in
 * CMake; or load it, ctypes.CDLL("libtbn.so.0.1") in Python. Linux, little-endian.
 *
 *     tbn_network* network = NULL;
 *     tbn_session* session = NULL;
 *     float pixels[784], logits[10];                        // pixels: raw 0..255
 *     if (tbn_network_load("fashion.tbn", &network) != TBN_OK ||
 *         tbn_session_create(network, TBN_BACKEND_EXACT, 2, &session) != TBN_OK) {
 *       fprintf(stderr, "%s\n", tbn_last_error());
 *       return 1;
 *     }
 *     tbn_network_free(network);                            // the session keeps what it needs
 *     read_image(pixels);
 *     if (tbn_session_run(session, pixels, 784, 1, logits, 10) != TBN_OK) {
 *       fprintf(stderr, "%s\n", tbn_last_error());
 *     }
 *     tbn_session_free(session);
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

/** What a call returns: the numbers are the exit codes of tbn's tools (docs/errors.md). */
typedef enum tbn_status {
  TBN_OK = 0,               /**< done */
  TBN_ERROR_SYSTEM = 1,     /**< the machine failed: no permission, no memory; or a bug of tbn's */
  TBN_ERROR_ARGUMENT = 2,   /**< what the caller asked for: a null pointer, a size, an option */
  TBN_ERROR_DATA = 3,       /**< a model that is missing, damaged, foreign or too new */
  TBN_ERROR_NON_FINITE = 4, /**< a weight that is not a finite number; no run returns it today */
} tbn_status;

/** Which kernels run. More may come; a number that this tbn does not know is TBN_ERROR_ARGUMENT. */
typedef enum tbn_backend {
  TBN_BACKEND_EXACT = 0,     /**< sums of signs by table look-ups, the one to use */
  TBN_BACKEND_REFERENCE = 1, /**< plain loops, which the others are checked against */
  TBN_BACKEND_INT8 = 2,      /**< inputs of tiled layers rounded to 8 bits: faster, not exact */
} tbn_backend;

/** A loaded network. Nothing changes it: any number of threads may use one at the same time. */
typedef struct tbn_network tbn_network;

/** What one caller runs a network with: the memory of its activations, and its threads. One thread
 * at a time may use it, not always the same one. */
typedef struct tbn_session tbn_session;

/** The version of this library, "0.1.0". */
const char* tbn_version(void);

/** What went wrong in the last call of this thread that returned an error: one sentence in UTF-8 of
 * at most 8191 bytes; "" where none has. It may be printed on a terminal: of paths and names in it
 * '?' stands for control characters, line ends, marks that turn the direction of writing and bytes
 * that are no UTF-8. Valid until the next such call of this thread, and while the library stays
 * loaded. Calls that succeed leave it. */
const char* tbn_last_error(void);

/** Reads and checks the .tbn file at `path`. The file stays mapped into memory while the network or
 * a session of it lives: it may be deleted, or replaced by renaming another over it, but not
 * written into or cut short, which would change the network or end the program (SIGBUS). Where that
 * can happen, read the file and call tbn_network_parse. TBN_ERROR_DATA: no such file, no regular
 * file, truncated, damaged, no packed network, too new, or one that takes more than the default
 * limits below. TBN_ERROR_SYSTEM: it may not be read, or memory is short. TBN_ERROR_ARGUMENT: a
 * null pointer. */
tbn_status tbn_network_load(const char* path, tbn_network** network);

/** The same for the `size` bytes of a .tbn file in memory, at any address. They are copied and may
 * be freed afterwards. */
tbn_status tbn_network_parse(const void* bytes, size_t size, tbn_network** network);

/** How much a network may take to run, since a file of 400 bytes can ask for gigabytes, or for
 * years. Lower them to load files of unknown origin, and raise them for a larger network.
 * tbn_network_load and tbn_network_parse use the defaults. */
typedef struct tbn_limits {
  /** Bytes of the weights as a session holds them, of the activations of one example and of the
   * layers' work space; each further thread takes the activations again. 0: the default, 2 GiB. */
  int64_t memory_bytes;
  /** Multiply-adds, and values that are read or written, per example. 0: the default, 10^12. A core
   * does some 10^9 to 10^11 per second. */
  int64_t operations;
} tbn_limits;

/** tbn_network_load within the caller's limits; NULL: the defaults. TBN_ERROR_DATA: also a network
 * that exceeds them, here or when a session of it is made. TBN_ERROR_ARGUMENT: a null pointer, or a
 * limit below 0. */
tbn_status tbn_network_load_within(const char* path, const tbn_limits* limits,
                                   tbn_network** network);
/** tbn_network_parse within the caller's limits, as tbn_network_load_within. */
tbn_status tbn_network_parse_within(const void* bytes, size_t size, const tbn_limits* limits,
                                    tbn_network** network);

/** Releases the caller's hold on a network; its sessions go on and keep what they need. NULL is
 * allowed. */
void tbn_network_free(tbn_network* network);

/** The shape of one example: `dims` points to `rank` sizes, outermost first, for example 1, 28, 28;
 * rows are contiguous. Valid while the network is not freed. Inputs are the raw values of the data
 * set (pixels 0..255): the network scales them itself. TBN_ERROR_ARGUMENT: a null pointer. */
tbn_status tbn_network_input_shape(const tbn_network* network, const int64_t** dims, size_t* rank);
/** The shape of the result for one example, as tbn_network_input_shape. Outputs are logits, or the
 * values of a forecast. */
tbn_status tbn_network_output_shape(const tbn_network* network, const int64_t** dims, size_t* rank);

/** The number of floats of one example: the product of its shape. TBN_ERROR_ARGUMENT: a null
 * pointer. */
tbn_status tbn_network_input_count(const tbn_network* network, size_t* count);
/** The number of floats of the result for one example. TBN_ERROR_ARGUMENT: a null pointer. */
tbn_status tbn_network_output_count(const tbn_network* network, size_t* count);

/** The text that the file holds about itself under `key`, for example "tbn.trained_on" or
 * "tbn.accuracy", in UTF-8; NULL, and TBN_OK, where it holds none. Valid while the network is not
 * freed. TBN_ERROR_ARGUMENT: a null pointer. */
tbn_status tbn_network_metadata(const tbn_network* network, const char* key, const char** value);

/** The number of these texts. TBN_ERROR_ARGUMENT: a null pointer. */
tbn_status tbn_network_metadata_count(const tbn_network* network, size_t* count);
/** Text `index`, 0 to count - 1, of those sorted by key. Both pointers are valid while the network
 * is not freed. TBN_ERROR_ARGUMENT: a null pointer, or an index that is too large. */
tbn_status tbn_network_metadata_at(const tbn_network* network, size_t index, const char** key,
                                   const char** value);

/** The name of class `index`, in UTF-8; NULL, and TBN_OK, past the last one, and where the file
 * does not say. Valid while the network is not freed. TBN_ERROR_ARGUMENT: a null pointer. */
tbn_status tbn_network_class_name(const tbn_network* network, size_t index, const char** name);
/** The name of column `index` of the rows that an input is made of (points, series), as
 * tbn_network_class_name. */
tbn_status tbn_network_column_name(const tbn_network* network, size_t index, const char** name);

/** Makes an input of the network from a decoded picture, as in its training: the file says how. The
 * input has `input_count` bytes, for tbn_session_run_u8. pixels: [height, width, channels], `size`
 * bytes in all; 1 channel also where the network takes three equal ones. `exif`: the orientation in
 * the picture's file, 1 to 8 (1 where it has none). `fit` not 0: where the file brings no picture
 * to the network's size, resize one of another size as a whole instead of refusing it.
 * TBN_ERROR_ARGUMENT: a null pointer, sizes that are not these, a file that does not say how inputs
 * are made, or has a step that this tbn does not know. */
tbn_status tbn_prepare_image(const tbn_network* network, const uint8_t* pixels, size_t size,
                             int64_t height, int64_t width, int channels, int exif, int fit,
                             uint8_t* input, size_t input_count);

/** The same from a cloud of any number of points, [n, columns] floats; the input is for
 * tbn_session_run. `category`: of the object, for networks that are told it. `chosen`: NULL, or
 * room for as many indices as the network takes points: which of the cloud's points they are. */
tbn_status tbn_prepare_points(const tbn_network* network, const float* cloud, size_t cloud_count,
                              int64_t category, float* input, size_t input_count, int64_t* chosen,
                              size_t chosen_count);

/** The same from rows of a table, the oldest first: [steps of the network, columns]; the input is
 * for tbn_session_run. `columns`: their names, in any order and with others among them, or NULL:
 * those of the network, in its order. */
tbn_status tbn_prepare_rows(const tbn_network* network, const double* rows, size_t rows_count,
                            const char* const* columns, size_t column_count, float* input,
                            size_t input_count);

/** Makes a session. `backend` is a tbn_backend; `threads`, 1 to 1024, share the examples of a
 * batch, or the layers of a single one; results do not depend on their number. TBN_ERROR_ARGUMENT:
 * a null pointer, an unknown backend, or threads out of range. TBN_ERROR_SYSTEM: memory or threads
 * are short. */
tbn_status tbn_session_create(const tbn_network* network, int backend, int threads,
                              tbn_session** session);

/** Runs `batch` examples. input: [batch, input shape], input_count = batch * the input's count
 * floats; output: [batch, output shape], output_count = batch * the output's count floats, which
 * this call writes. The two must not overlap. A batch of 0 does nothing, and its pointers may be
 * null. TBN_ERROR_ARGUMENT: a null pointer, a negative batch, or counts that are not these; nothing
 * is written then. */
tbn_status tbn_session_run(tbn_session* session, const float* input, size_t input_count,
                           int64_t batch, float* output, size_t output_count);

/** The same with bytes as input, as images are decoded: each stands for the float of its value. */
tbn_status tbn_session_run_u8(tbn_session* session, const uint8_t* input, size_t input_count,
                              int64_t batch, float* output, size_t output_count);

/** Ends a session and its threads. NULL is allowed. */
void tbn_session_free(tbn_session* session);

#ifdef __cplusplus
}
#endif

#endif /* TBN_TBN_C_H */
