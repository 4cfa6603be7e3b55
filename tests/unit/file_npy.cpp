// The .npy reader: what NumPy writes is read, and what no NumPy wrote is refused.
#include "file/npy.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"

using namespace tbn;
using test::message_of;
using test::says;

namespace {

// The bytes of a number, the least significant first.
template <class T>
std::string little(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

template <class T>
std::string big(T value) {
  const std::string bytes = little(value);
  return {bytes.rbegin(), bytes.rend()};
}

// A file of this version with this header, as it stands.
std::string file_of(const std::string& header, const std::string& data, int version = 1) {
  std::string file = "\x93NUMPY";
  file += static_cast<char>(version);
  file += '\0';
  const auto length = static_cast<std::uint32_t>(header.size());
  file += little(length).substr(0, version == 1 ? 2 : 4);
  return file + header + data;
}

std::string header_of(const std::string& descr, const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
}

NpyArray parse(const std::string& file) {
  return NpyArray({file.begin(), file.end()}, "'a.npy': ");
}

std::string error_of(const std::string& file) {
  return message_of<DataError>([&] { parse(file); });
}

std::string error_of_header(const std::string& header, const std::string& data = "") {
  return error_of(file_of(header, data));
}

std::vector<double> numbers(const NpyArray& array) {
  std::vector<double> values(static_cast<std::size_t>(element_count(array.shape())));
  array.read(0, values);
  return values;
}

std::vector<double> numbers(const std::string& descr, const std::string& shape,
                            const std::string& data) {
  return numbers(parse(file_of(header_of(descr, shape), data)));
}

// The numbers of a type in both orders of bytes, and in that of this machine.
template <class T>
void check_type(const std::string& type, const std::vector<T>& values) {
  INFO(type);
  std::string first, last;
  std::vector<double> expected;
  for (const T value : values) {
    first += little(value);
    last += big(value);
    expected.push_back(static_cast<double>(value));
  }
  const std::string shape = "(" + std::to_string(values.size()) + ",)";
  CHECK(numbers("<" + type, shape, first) == expected);
  CHECK(numbers(">" + type, shape, last) == expected);
  CHECK(numbers("=" + type, shape, first) == expected);
}

template <class T>
void check_integers(const std::string& type) {
  using Limits = std::numeric_limits<T>;
  check_type<T>(type, {0, 1, 2, Limits::min(), Limits::max(), static_cast<T>(Limits::max() / 3)});
}

}  // namespace

TEST_CASE("arrays of every type are read in both orders of bytes", "[npy]") {
  check_integers<std::int8_t>("i1");
  check_integers<std::int16_t>("i2");
  check_integers<std::int32_t>("i4");
  check_integers<std::int64_t>("i8");
  check_integers<std::uint8_t>("u1");
  check_integers<std::uint16_t>("u2");
  check_integers<std::uint32_t>("u4");
  check_integers<std::uint64_t>("u8");
  const float largest = std::numeric_limits<float>::max();
  const float infinity = std::numeric_limits<float>::infinity();
  check_type<float>("f4", {0, -1.5f, 1e-45f, largest, -infinity});
  check_type<double>("f8", {0, -1.5, 5e-324, std::numeric_limits<double>::max(), infinity});
  // One, minus two, the largest, the smallest and infinity in half precision.
  const std::vector<double> halves = {1, -2, 65504, std::ldexp(1.0, -24), infinity};
  std::string first, last;
  for (const std::uint16_t bits : std::vector<std::uint16_t>{0x3c00, 0xc000, 0x7bff, 1, 0x7c00}) {
    first += little(bits);
    last += big(bits);
  }
  CHECK(numbers("<f2", "(5,)", first) == halves);
  CHECK(numbers(">f2", "(5,)", last) == halves);
  CHECK(numbers("|b1", "(4,)", std::string("\0\1\2\xff", 4)) == std::vector<double>{0, 1, 1, 1});
  CHECK(numbers("|u1", "(2,)", "\xff\1") == std::vector<double>{255, 1});
  CHECK(std::isnan(numbers("<f4", "(1,)", little(std::nanf(""))).front()));
}

TEST_CASE("an array says what its numbers are", "[npy]") {
  const auto of = [](const std::string& descr) {
    const auto bytes = static_cast<std::size_t>(descr.back() - '0');
    return parse(file_of(header_of(descr, "(1,)"), std::string(bytes, '\0')));
  };
  for (const char* descr : {"|u1", "<u1", ">u1"}) CHECK(of(descr).is_bytes());
  for (const char* descr : {"|i1", "|b1", "<u2", "<f4"}) CHECK_FALSE(of(descr).is_bytes());
  for (const char* descr : {"<f2", ">f4", "<f8"}) CHECK(of(descr).is_float());
  for (const char* descr : {"|u1", "|b1", "<i8"}) CHECK_FALSE(of(descr).is_float());
}

TEST_CASE("shapes of any rank are read, with single numbers and empty arrays", "[npy]") {
  const auto shape_of = [](const std::string& shape, std::size_t bytes) {
    return parse(file_of(header_of("|u1", shape), std::string(bytes, '\0'))).shape();
  };
  CHECK(shape_of("()", 1) == Shape{});
  CHECK(shape_of("(7,)", 7) == Shape{7});
  CHECK(shape_of("(2, 3)", 6) == Shape{2, 3});
  CHECK(shape_of("(2,3,)", 6) == Shape{2, 3});
  CHECK(shape_of("( 2 , 3 )", 6) == Shape{2, 3});
  CHECK(shape_of("(2L, 3L)", 6) == Shape{2, 3});
  CHECK(shape_of("(1, 2, 1, 3, 1)", 6) == Shape{1, 2, 1, 3, 1});
  CHECK(shape_of("(0,)", 0) == Shape{0});
  CHECK(shape_of("(3, 0, 5)", 0) == Shape{3, 0, 5});
  CHECK(numbers("<f8", "()", little(2.5)) == std::vector<double>{2.5});
  CHECK(numbers("<f8", "(0, 4)", "").empty());
}

TEST_CASE("a part of an array is read from any place", "[npy]") {
  std::string data;
  for (std::uint16_t i = 0; i < 12; ++i) data += big(i);
  const NpyArray array = parse(file_of(header_of(">u2", "(3, 4)"), data));
  std::vector<double> row(4);
  array.read(4, row);
  CHECK(row == std::vector<double>{4, 5, 6, 7});
  array.read(8, row);
  CHECK(row == std::vector<double>{8, 9, 10, 11});
  array.read(12, {});
  CHECK_THROWS_AS(array.read(9, row), InternalError);
  CHECK_THROWS_AS(array.read(-1, row), InternalError);
}

TEST_CASE("all three versions are read, with headers as their writers lay them out", "[npy]") {
  const std::string header = header_of("<i4", "(2,)");
  const std::string data = little<std::int32_t>(-5) + little<std::int32_t>(6);
  for (const int version : {1, 2, 3}) {
    INFO(version);
    const std::string padded = header + std::string(61, ' ') + "\n";
    CHECK(numbers(parse(file_of(padded, data, version))) == std::vector<double>{-5, 6});
  }
  for (const char* text :
       {R"({"descr": "<i4", "fortran_order": False, "shape": (2,)})",
        R"({'shape':(2,),'fortran_order':False,'descr':'<i4'})",
        R"(  { 'fortran_order' : False , 'shape' : ( 2, ) , 'descr' : '<i4' , } )",
        R"({'descr': '<i4', 'fortran_order': True, 'shape': (2,), })"}) {
    INFO(text);
    CHECK(numbers(parse(file_of(text, data))) == std::vector<double>{-5, 6});
  }
  for (const int version : {0, 4, 255}) {
    CHECK(says(error_of(file_of(header, data, version)), {"'a.npy': ", "version"}));
  }
}

TEST_CASE("only files that begin as .npy do are taken for some", "[npy]") {
  const auto is = [](const std::string& text) {
    return is_npy({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  CHECK(is("\x93NUMPY"));
  CHECK(is(file_of("", "")));
  CHECK_FALSE(is(""));
  CHECK_FALSE(is("\x93NUMP"));
  CHECK_FALSE(is("NUMPY\x93"));
  CHECK(says(error_of("PK\3\4"), {"'a.npy': ", "is no .npy file"}));
  CHECK(says(error_of(""), {"'a.npy': "}));
}

TEST_CASE("a file that ends early or late is refused", "[npy]") {
  const std::string whole = file_of(header_of("<f4", "(2, 3)"), std::string(24, '\1'));
  REQUIRE_NOTHROW(parse(whole));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    INFO(length);
    CHECK(says(error_of(whole.substr(0, length)), {"'a.npy': "}));
  }
  CHECK(says(error_of(whole + "x"), {"'a.npy': ", "has 25 bytes", "[2, 3]", "takes 24"}));
  // A length of the header that is longer than the file, or than any header.
  for (const std::string& length : {std::string("\xff\xff\0\0", 4), std::string("\0\0\2\0", 4),
                                    std::string("\xff\xff\xff\xff"), std::string("\0\0\0\0", 4)}) {
    const std::string start = std::string("\x93NUMPY\2\0", 8) + length;
    CHECK(says(error_of(start), {"'a.npy': its header"}));
    CHECK(says(error_of(start + header_of("|u1", "(1,)") + "x"), {"'a.npy': "}));
    CHECK(says(error_of(start + std::string(200'000, ' ')), {"'a.npy': "}));
  }
}

TEST_CASE("elements that are no numbers are refused by their type", "[npy]") {
  for (const char* descr :
       {"|O",  "<c8", "<c16", "<U3", "|S1",  "<M8[s]", "<m8", "|V4", "<f16", "<f3", "<i16",
        "<u3", "<b2", "<f",   "f4",  "<<f4", "<f4 ",   "",    "?f4", "<F4",  "<f9", "<f0"}) {
    INFO(descr);
    CHECK(says(error_of_header(header_of(descr, "(1,)"), std::string(16, '\0')),
               {"'a.npy': its elements are of type", "'" + std::string(descr) + "'"}));
  }
  CHECK(says(error_of_header("{'descr': [('a', '<f4'), ('b', '<f4')], 'fortran_order': False, "
                             "'shape': (1,), }",
                             std::string(8, '\0')),
             {"'a.npy': ", "records"}));
}

TEST_CASE("Fortran's order is refused where it matters", "[npy]") {
  const auto header = [](const std::string& shape) {
    return "{'descr': '|u1', 'fortran_order': True, 'shape': " + shape + ", }";
  };
  CHECK(says(error_of_header(header("(2, 3)"), std::string(6, '\0')),
             {"'a.npy': ", "Fortran", "ascontiguousarray"}));
  CHECK(numbers(parse(file_of(header("(3,)"), "\1\2\3"))) == std::vector<double>{1, 2, 3});
  CHECK(numbers(parse(file_of(header("()"), "\1"))) == std::vector<double>{1});
}

TEST_CASE("a shape is held against the bytes that are there", "[npy]") {
  for (const char* shape :
       {"(7,)", "(9223372036854775807,)", "(9223372036854775807, 9223372036854775807)",
        "(4611686018427387904, 4)", "(4611686018427387904, 4, 0)", "(4294967296, 4294967296)",
        "(2305843009213693952, 8)", "(3074457345618258603, 6)", "(18446744073709551615,)",
        "(18446744073709551616,)", "(9223372036854775808,)", "(-1,)", "(-9223372036854775808,)",
        "(2, -3)", "(0, -1)", "()", "(0,)"}) {
    for (const char* descr : {"|u1", "<f8"}) {
      INFO(shape << " of " << descr);
      CHECK(says(error_of_header(header_of(descr, shape), "12345678abcdefgh"), {"'a.npy': "}));
    }
  }
  // Of no elements, but with dimensions whose product is beyond 64 bits: what takes one of them for
  // a size of its own would be wrong.
  for (const char* shape : {"(0, 4611686018427387904, 3)", "(9223372036854775807, 2, 0)",
                            "(4611686018427387904, 0, 4611686018427387904)"}) {
    INFO(shape);
    CHECK(says(error_of_header(header_of("|u1", shape)), {"'a.npy': "}));
  }
}

TEST_CASE("what is no header of NumPy is refused", "[npy]") {
  const std::string good = header_of("|u1", "(1,)");
  for (const char* text : {
           "{",
           "}",
           "{}",
           "[]",
           " ",
           "\n",
           "None",
           "{'descr'",
           "{'descr': }",
           "{'descr': '|u1'}",
           "{'descr': '|u1', 'fortran_order': False}",
           "{'fortran_order': False, 'shape': (1,)}",
           "{'descr': '|u1', 'shape': (1,)}",
           // A member that is there twice, is missing or is none of them.
           "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), 'shape': (1,)}",
           "{'descr': '|u1', 'descr': '|u1', 'shape': (1,)}",
           "{'descr': '|u1', 'fortran_order': False, 'fortran_order': False}",
           "{'fortran_order': False, 'shape': (1,), 'shape': (1,)}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), 'x': 1}",
           "{'Descr': '|u1', 'fortran_order': False, 'shape': (1,)}",
           "{'descr\\x00': '|u1', 'fortran_order': False, 'shape': (1,)}",
           // Values of other types.
           "{'descr': |u1, 'fortran_order': False, 'shape': (1,)}",
           "{'descr': ('|u1'), 'fortran_order': False, 'shape': (1,)}",
           "{'descr': None, 'fortran_order': False, 'shape': (1,)}",
           "{'descr': '|u1', 'fortran_order': 0, 'shape': (1,)}",
           "{'descr': '|u1', 'fortran_order': 'False', 'shape': (1,)}",
           "{'descr': '|u1', 'fortran_order': false, 'shape': (1,)}",
           "{'descr': '|u1', 'fortran_order': Falsehood, 'shape': (1,)}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': 1}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': [1]}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (1}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (1",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (,)}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (1,,)}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (1 1)}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (1.0,)}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (1e0,)}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (0x1,)}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': ('1',)}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (True,)}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': ((1,),)}",
           // Text around it.
           "x{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (1,)} x",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}}",
           "{'descr': '|u1' 'fortran_order': False, 'shape': (1,)}",
           "{,'descr': '|u1', 'fortran_order': False, 'shape': (1,)}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (1,),,}",
           "{'descr': '|u1, 'fortran_order': False, 'shape': (1,)}",
           "{'descr\": '|u1', 'fortran_order': False, 'shape': (1,)}",
       }) {
    INFO(text);
    CHECK(says(error_of_header(text, "x"), {"'a.npy': "}));
  }
  CHECK(says(error_of_header(std::string(1, '\0') + good, "x"), {"'a.npy': "}));
  CHECK(says(error_of_header(good + std::string(1, '\0'), "x"), {"'a.npy': "}));
  REQUIRE_NOTHROW(parse(file_of(good, "x")));
}

TEST_CASE("headers of thousands of dimensions, members and blanks end soon", "[npy]") {
  const auto many = [](const std::string& text, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += text;
    return all;
  };
  CHECK(
      says(error_of_header(header_of("|u1", "(" + many("1, ", 10'000) + ")"), "x"), {"'a.npy': "}));
  CHECK(says(error_of_header("{" + many("'descr': '|u1', ", 3'000) + "}", "x"), {"'a.npy': "}));
  for (const char* text : {"{", "[", "(", "'", "\"", ","}) {
    CHECK(says(error_of_header(many(text, 60'000), "x"), {"'a.npy': "}));
  }
  CHECK(numbers(parse(file_of(header_of("|u1", "(1,)") + many(" ", 60'000), "\7"))) ==
        std::vector<double>{7});
  // Its rank is limited, and 32 are read.
  CHECK(parse(file_of(header_of("|u1", "(" + many("1, ", 32) + ")"), "x")).shape().size() == 32);
}
