// Goes by the names of tensors alone: no node's name holds a plus.
#include "file/compact.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "tbn/file.h"

namespace tbn {
namespace {

constexpr std::string_view kSecond = "bias";
// What may lie before a bias, the first that is there.
constexpr std::array<std::string_view, 3> kFirsts = {"scale", "alpha", "weight"};

bool are_alike(const HostTensor& a, const HostTensor& b) {
  return a.shape().size() == 1 && a.shape() == b.shape() && a.dtype() == b.dtype();
}

HostTensor pair_of(const HostTensor& first, const HostTensor& second) {
  std::vector<std::byte> bytes(first.bytes().begin(), first.bytes().end());
  bytes.insert(bytes.end(), second.bytes().begin(), second.bytes().end());
  return {first.dtype(), {2, first.shape().front()}, std::move(bytes)};
}

// The two names that the name of a pair stands for; empty where it is none.
std::pair<std::string, std::string> names_of_pair(std::string_view name) {
  for (const std::string_view first : kFirsts) {
    const std::string ending = "." + std::string(first) + "+" + std::string(kSecond);
    if (!name.ends_with(ending)) continue;
    const std::string node(name.substr(0, name.size() - ending.size()));
    return {node + "." + std::string(first), node + "." + std::string(kSecond)};
  }
  return {};
}

void put_half(const Reader& reader, TensorMap& tensors, std::string name, const HostTensor& pair,
              std::size_t half) {
  const std::span<const std::byte> both = pair.bytes();
  const std::size_t size = both.size() / 2;
  const std::span<const std::byte> own = both.subspan(half * size, size);
  HostTensor tensor(pair.dtype(), {pair.shape()[1]}, {own.begin(), own.end()});
  const auto [place, is_new] = tensors.emplace(std::move(name), std::move(tensor));
  if (!is_new) reader.fail("holds tensor " + in_quotes(place->first) + " twice");
}

}  // namespace

std::string with_quotes_swapped(std::string text) {
  for (char& c : text) {
    if (c == '"') {
      c = '\'';
    } else if (c == '\'') {
      c = '"';
    }
  }
  return text;
}

TensorPairs pairs_of(const TensorMap& tensors) {
  TensorPairs pairs;
  const std::string ending = "." + std::string(kSecond);
  for (const auto& [name, second] : tensors) {
    if (!name.ends_with(ending)) continue;
    const std::string node = name.substr(0, name.size() - ending.size());
    for (const std::string_view first : kFirsts) {
      const auto found = tensors.find(node + "." + std::string(first));
      if (found == tensors.end() || !are_alike(found->second, second)) continue;
      pairs.tensors.emplace(found->first + "+" + std::string(kSecond),
                            pair_of(found->second, second));
      pairs.members.insert({found->first, name});
      break;
    }
  }
  return pairs;
}

void split_pairs(const Reader& reader, TensorMap& tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) {
    // Prepared weights of a layout that nobody here knows may be called anything.
    if (name.starts_with(kPreparedPrefix) || name.find('+') == std::string::npos) continue;
    names.push_back(name);
  }
  for (const std::string& name : names) {
    auto [first, second] = names_of_pair(name);
    if (first.empty()) reader.fail("tensor " + in_quotes(name) + " has the name of no pair");
    const HostTensor pair = std::move(tensors.extract(name).mapped());
    if (pair.shape().size() != 2 || pair.shape().front() != 2) {
      reader.fail("tensor " + in_quotes(name) + " is " + to_string(pair.shape()) +
                  ", and a pair is [2, n]");
    }
    put_half(reader, tensors, std::move(first), pair, 0);
    put_half(reader, tensors, std::move(second), pair, 1);
  }
}

}  // namespace tbn
