// Const arrays in C, counted as they are written.
#pragma once

#include <charconv>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "micro/network.h"

namespace tbn {

// The numbers of an array as text, wrapped at 100 columns.
template <class T>
std::string c_numbers(std::span<const T> values) {
  std::string text = " ";
  std::size_t column = 2;
  for (const T value : values) {
    char buffer[48];
    std::string number;
    if constexpr (std::is_same_v<T, float>) {
      number = std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
      if (number.find_first_of(".e") == std::string::npos) number += ".0";
      number += 'f';
    } else if constexpr (std::is_same_v<T, std::uint32_t>) {
      number =
          "0x" + std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, 16).ptr);
    } else {
      number = std::to_string(value);
    }
    if (column + number.size() + 2 > 100) {
      text += "\n ";
      column = 2;
    }
    text += " " + number + ",";
    column += number.size() + 2;
  }
  return text;
}

// "static const int16_t conv1_gains[64] = {...};"
template <class T>
std::string c_array(std::string_view type, const std::string& name, std::span<const T> values) {
  return "static const " + std::string(type) + " " + name + "[" + std::to_string(values.size()) +
         "] = {\n" + c_numbers(values) + "\n};\n";
}

// A tile in the order in which tbn_tile_sums reads it.
struct TileWords {
  std::vector<std::uint32_t> words;  // [inputs / 32][rows]
  std::vector<std::uint8_t> tail;    // [ceil(inputs % 32 / 8)][rows]
};
TileWords tile_words(const micro::RowSigns& rows);

// Bits of rows of `row_bits`, each row from a byte on.
std::vector<std::uint8_t> tile_bytes(std::span<const std::uint8_t> positive, std::size_t row_bits);

}  // namespace tbn
