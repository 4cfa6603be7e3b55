/// @file
/// The packed model file, `.tbn`. Its format, version 1.2, is specified here.
///
/// @verbatim
/// A .tbn file is a safetensors file (github.com/huggingface/safetensors), so every language can
/// open it. All numbers are little-endian.
///
///   offset   bytes   contents
///   0        8       u64 n, the length of the header
///   8        n       the header: one JSON object in UTF-8, padded with spaces until 8 + n is a
///                    multiple of 64
///   8 + n    rest    the data of the tensors: no holes, no overlaps, nothing after the last one
///
/// The header maps "__metadata__" to an object of strings, and the name of each tensor to
/// {"dtype": "U8", "shape": [16, 72], "data_offsets": [begin, end]}; offsets count from 8 + n.
/// Tensors lie in the data by element type (I64, F64, F32, I32, BF16, F16, I8, U8, BOOL), then by
/// name, so each is aligned to its elements. No key appears twice.
///
/// The strings of "__metadata__":
///
///   tbn.header_crc32c   eight lower-case hexadecimal digits; always the first, see below
///   tbn.crc32c          the same form: the CRC-32C (Castagnoli) of the data, from byte 8 + n on
///   tbn.format          major and minor version: "1.2" where the file holds a rule, else "1.1"
///                       where it holds prepared weights, else "1.0". A reader refuses a newer
///                       major version than its own and accepts a newer minor one
///   tbn.features        what a reader must know to run the model: sorted names, separated by
///                       commas, each once; may be empty. A reader refuses what it does not know,
///                       and a file that does not name what its contents need. More names do no
///                       harm, but for compact, generated and units: those are named exactly where
///                       they apply
///                         binary          tensors of one bit per weight
///                         compact         a graph in short form and pairs of tensors, see below
///                         f16             scalars or numbers of norms in half precision
///                         generated       test vectors whose inputs a generator makes, see below
///                         interleave      outputs that share a row of a tile lie side by side
///                         output_scalars  layers with one scalar per output
///                         tiled           tiles that p slices of a weight share
///                         uniform         integers of 2 to 8 bits, one scalar per output
///                         units           a forecaster that takes and gives original units: a
///                                         normalize alone reads the input, an affine makes the
///                                         output, with the same numbers (std and scale, mean and
///                                         bias, per column); errors are measured in deviations
///   tbn.graph           the network, as JSON. Its canonical form is written: no spaces, keys
///                       sorted by their bytes, doubles in the fewest digits that round-trip
///   tbn.verify          with the feature `generated`: the generator of the test vectors' inputs
///   tbn.input           the rule (since 1.2), see below: how inputs are made,
///   tbn.output          what outputs mean,
///   tbn.measured        and what the model's figure was measured on; each may be absent
///   any other           free text about the model: tbn.trained_on, tbn.accuracy, tbn.producer
///
/// Checksums. The header starts with exactly these bytes, where d is a digit of tbn.header_crc32c:
///
///   {"__metadata__":{"tbn.header_crc32c":"dddddddd"
///
/// It is the CRC-32C of the file's first 8 + n bytes, with these eight digits (bytes 46 to 53) read
/// as "00000000". So each bit of a file is covered: by a CRC, or as a part of one. In Python:
///
///   raw = open(path, "rb").read()
///   n = int.from_bytes(raw[:8], "little")
///   head, data = bytearray(raw[:8 + n]), raw[8 + n:]
///   assert head[8:46] == b'{"__metadata__":{"tbn.header_crc32c":"'
///   digits, head[46:54] = head[46:54].decode(), b"00000000"
///   assert digits == "%08x" % crc32c(head)
///   assert json.loads(head[8:])["__metadata__"]["tbn.crc32c"] == "%08x" % crc32c(data)
///
/// The rule (tbn/rule.h has it as types). Each of the three texts is a JSON object in canonical
/// form, at most 4 MiB, 200,000 values and 6 levels deep. A name is 1 to 256 bytes of UTF-8 without
/// control characters. Members that a reader does not know are passed over. The rule repeats
/// nothing that the graph says (sizes, means and deviations of images) and knows no path and no
/// date.
///
///   tbn.input
///     kind              "image", "points" or "series": what the input is made of
///     steps             at most 16 objects, in the order in which they stand here, each at most
///                       once and none of another kind. A reader that does not know a step's "do",
///                       or the kind, runs the network all the same and refuses to prepare inputs.
///                       Of images no steps, pixels as they are stored, or resize and crop, with
///                       the others before them:
///       decode          "reduce": 2, 4 or 8. JPEGs were decoded at 1/2, 1/4 or 1/8 of their size
///                       where the part that the network sees still had as many pixels, at no less
///                       than 1/reduce; without the step, in full
///       orient          turned upright by EXIF (JPEG, PNG); without the step, as stored
///       resize          "shorter": 1 to 4096. The shorter side gets this length, the other
///                       shorter * length / shorter side, rounded down; bilinear as Pillow's
///       crop            the centre, as high and wide as the graph's input; half pixels to even
///                       Of points, always with choose:
///       first           "most": at most this number of points of a file
///       centre          the mean of the first three columns is moved to 0
///       scale           the farthest point from 0 comes to distance 1
///       choose          "how": "first", or "drawn" without repetition by SplitMix64 as for sample
///                       0. Of fewer points than the graph takes all, and drawn ones again
///                       Of series, unless `units` says "graph":
///       standardise     "mean" and "deviation", one number per column: (value - mean) / deviation
///     columns           points and series: names of a row's values; of points three at least, and
///                       none twice
///     up                points: "x", "y" or "z", the vertical axis
///     seconds           series: from a row to the next
///     units             series: "graph", exactly where inputs and outputs of the graph are in the
///                       units of the table (feature `units`), and there is no step `standardise`
///     check             eight hexadecimal digits: CRC-32C of what the steps make of an example,
///                       whose bytes are the top ones of
///                       x = 6364136223846793005 x + 1442695040888963407
///                       (64 bits, first from x = 1): a picture of 97 rows and 61 columns, EXIF
///                       orientation 6, or of N + N / 2 points, byte / 128 - 1, of category 0
///   tbn.output
///     kind              "class" of images and points, "point_class" of points or "forecast" of
///                       series
///     classes           one name per logit, none twice unless the folders tell them apart
///     folders           names of the classes' folders, where these are not the same; none twice
///     categories        point_class: [name, first label, labels] of each kind of object, no name
///                       twice. In this order the last columns of a point stand for the kinds (one
///                       of them is 1), and the labels are those of the logits for its parts
///   tbn.measured
///     data              name of the data set
///     split             "validation" samples held out by "seed"; "train_limit" and "test_limit",
///                       where "limits" says "first" or "class" (of each class its share);
///                       "on_error": "skip", with "skip_most"; "test": the folder tested on
///     count, listing    {"train", "validation", "test"}: samples found in a split, before any were
///                       held out, and the CRC-32C of their names (class/file) or labels, one per
///                       line
///     rows              series: [training, validation, test], each at least 1
///     columns           series: "chosen", where the table had others besides
///
/// Tensors. Bits (of tiles, and of binary weights) are U8 of shape [rows, bytes per row]: bit i of
/// byte j in a row is weight 8 j + i of that row, 1 means +1 and 0 means -1, each row starts on a
/// byte, and the bits that pad a row are 0. Integers of b bits (of uniform weights) are U8 of shape
/// [n, bytes per row] too: weight k of a row is its bits b k to b k + b - 1, the lowest first, in
/// two's complement; rows start and are padded alike, and a reader refuses other padding. Scalars
/// (alpha, scale), biases and the weights of layer norms are F32 or F16, each tensor by itself;
/// where one is F16 the features name f16 (tbn-export --scalars f16 rounds all but the affine of
/// `units`, to the nearest, ties to even; that one stays F32). The graph names the tensors that it
/// uses. The two names
/// `verify.input` and `verify.output` are not parameters but test vectors: a batch of inputs and
/// the logits that the model gives for it, with the same first dimension. Both are there, or
/// neither, or with the feature `generated` the second alone. No other name starts with `verify.`.
///
/// Generated inputs. `tbn.verify` names the generator; `example-1` is the only one so far, and a
/// reader refuses another. It makes as many inputs as `verify.output` has rows, one after another,
/// each row by row, from the top bytes of
/// x = 6364136223846793005 x + 1442695040888963407 (64 bits, first from x = 1): the byte itself, or
/// where the network's input has two dimensions byte / 128 - 1. Where the features name `units`,
/// the value v of column c becomes mean[c] + std[c] v, in double, rounded to single precision.
///
/// Compact files (feature `compact`) hold the graph in short form. In `tbn.graph` every quote and
/// every apostrophe stand in the other's place. The object has a member `common`, a list that may
/// be empty: objects of an "op", each op once, and of attributes, none of them a list but pairs of
/// sizes. Where a node of that op does not say such an attribute, it has this value and not the
/// default. A node but the first that has no "inputs" reads the node before it; without "output"
/// the last node is the output. And a tensor named `<node>.<a>+bias`, a being scale, alpha or
/// weight, of shape [2, n], holds the two tensors `<node>.<a>` and `<node>.bias`, both [n]. The
/// writer joins all that it can, the first of the three, of one element type.
///
/// Prepared weights (since 1.1) hold a layer's weights once more, in the order in which one kind of
/// kernel reads them, so that it can read them where they lie in the mapped file. Their names are
/// `prepared/<layout>/<node>`; no parameter's name holds a slash. They are never needed: a reader
/// that uses no such layout ignores the tensor, whatever it is, and makes what its kernels read of
/// the node's other tensors, with the same answers. (Readers of 1.0 know no such tensors and refuse
/// them.) Where it does use the layout it refuses another dtype or shape. That these weights are
/// the layer's own is the writer's promise: checksums keep it, and tbn-eval --verify makes those
/// that its processor could use once more and compares them.
///
/// Each is I64 [lines, 8]: bytes, filled up with zeros to whole lines of 64. The element type says
/// nothing of them; it puts them first in the data, where every line begins at a multiple of 64.
/// The name of a layout ends with its version, which changes with the order, and with what it
/// leaves open. R rows are laid out, those of the tile where they serve all outputs, else all n. A
/// row's inputs are taken [tap][channel], the taps of a kernel row by row (linear layers have one
/// tap). A pattern is a few signs, input i of it in bit i, 1 for +1. Whatever lies past the last
/// row, channel, pattern or word is 0; the rows of a block are its lanes.
///
///   signs-1-<b>-<w>-<h>
///       u32 words [8 blocks][word][block][16 lanes], the last blocks fewer. Patterns of b
///       channels, [tap][pattern], w of them in a word from bit 0 on; where h > 0, those from the
///       h-th on from bit 16 on
///   byte_tables-1-<b>-<w>-<r>-<k>
///       u16 words [k blocks][word][block][r lanes], the last blocks fewer; lane 2 i has row i of
///       its block and lane 2 i + 1 row i + r / 2. Patterns of b channels, [tap row][pattern][tap],
///       w of them in a word
///   bytes-1-<r>-<v>
///       bits [v blocks][k / 4][block][r lanes][4] of inputs k, [tap][channel], whose channels are
///       padded to a multiple of 4. The last blocks may be fewer and are then close together, but
///       take the room of v
///   integers-1-<r>-<v>
///       i8 [v blocks][k / 4][block][r lanes][4], as bytes
///   floats-1-<r>
///       f32 [block][tap][channel][r lanes]
/// @endverbatim
///
/// Example:
///
///     PackedFile file = read_packed("resnet18_p4.tbn");
///     std::cout << file.metadata["tbn.accuracy"] << '\n';
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tbn/tensor.h"

namespace tbn {

/// How the names of prepared weights begin.
inline constexpr std::string_view kPreparedPrefix = "prepared/";

/// The version that is written where the file holds neither a rule nor prepared weights.
inline constexpr std::string_view kPackedFormat = "1.0";
/// The version that is written where the file holds prepared weights and no rule.
inline constexpr std::string_view kPreparedFormat = "1.1";
/// The version that is written where the file holds a rule.
inline constexpr std::string_view kRuleFormat = "1.2";
/// The newest major version that this library reads.
inline constexpr int kPackedMajorVersion = 1;

/// The features that this library knows, sorted.
inline constexpr std::string_view kPackedFeatures[] = {"binary",    "compact",    "f16",
                                                       "generated", "interleave", "output_scalars",
                                                       "tiled",     "uniform",    "units"};

/// A batch of inputs and the logits that belong to it; the first dimension of both is the batch.
struct TestVectors {
  HostTensor input;         ///< [k, input shape]; no elements where a generator makes them
  HostTensor output;        ///< [k, output shape]
  std::string generator{};  ///< its name, "example-1"; empty: the file holds the inputs

  /// k
  std::int64_t count() const { return output.shape().empty() ? 0 : output.shape().front(); }

  bool operator==(const TestVectors&) const = default;
};

/// The contents of a packed file.
struct PackedFile {
  std::string graph_json;                   ///< the network as JSON (graph_from_json()), in short
                                            ///< form where the features name `compact`
  TensorMap tensors;                        ///< the parameters, without the test vectors
  TensorMap prepared;                       ///< by their whole names, "prepared/<layout>/<node>"
  std::optional<TestVectors> test_vectors;  ///< where the file has some
  std::vector<std::string> features;        ///< sorted
  std::map<std::string, std::string> metadata;  ///< what has no field of its own here
  std::string format{kPackedFormat};            ///< as read; what is written goes by the contents

  bool operator==(const PackedFile&) const = default;
};

/// Reads a packed file and checks all of it, every checksum included. Throws a DataError that names
/// the file where it is missing, truncated, damaged, a plain safetensors file, of a newer format,
/// or needs an unknown feature. The tensors lie in the mapped file and are copied when they are
/// first changed: replace a file that may be in use by renaming another over it, as write_packed()
/// does, and never write into it.
PackedFile read_packed(const std::filesystem::path& path);
/// The same for the bytes of a file, which are copied. `where` stands for the file in errors.
PackedFile parse_packed(std::span<const std::byte> bytes, const std::string& where);

/// The bytes of a packed file. Equal models give equal bytes: the graph is made canonical and the
/// features are sorted.
std::vector<std::byte> serialize_packed(const PackedFile& file);
/// Writes them to `path`: the file is there whole or not at all. Throws SystemError where it cannot
/// be written, as on a full disk, and leaves the old file as it was.
void write_packed(const std::filesystem::path& path, const PackedFile& file);

}  // namespace tbn
