// Superblock, object headers and groups of an HDF5 file.
#include "data/points/hdf5_objects.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
constexpr std::uint64_t kMessageLinkInfo = 0x02;
constexpr std::uint64_t kMessageLink = 0x06;
constexpr std::uint64_t kMessageContinuation = 0x10;
constexpr std::uint64_t kMessageSymbolTable = 0x11;
constexpr std::uint64_t kUndefined = ~std::uint64_t{0};
// More than any file of samples has: what a damaged one claims must end.
constexpr std::size_t kMostMessages = 4096;
constexpr std::size_t kMostBlocks = 64;
constexpr std::size_t kMostObjects = 4096;
constexpr std::uint64_t kMostName = 1024;

using Objects = std::map<std::string, std::uint64_t, std::less<>>;

struct Block {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

struct HeaderForm {
  std::uint64_t version = 1;
  std::uint64_t prefix = 8;  // bytes before a message's body
};

// The first block of messages of the object header at `address`.
Block first_block(const Hdf5Bytes& file, std::uint64_t address, HeaderForm& form) {
  if (!file.has(address, "OHDR")) {
    if (file.number(address, 1) != 1) file.fail("damaged: no object header where one should be");
    form = {.version = 1, .prefix = 8};
    return {address + 16, file.number(address + 8, 4)};
  }
  const std::uint64_t flags = file.number(address + 5, 1);
  form = {.version = 2, .prefix = (flags & 4) != 0 ? std::uint64_t{6} : std::uint64_t{4}};
  std::uint64_t at = address + 6;
  if ((flags & 0x20) != 0) at += 16;  // times
  if ((flags & 0x10) != 0) at += 4;   // when attributes move elsewhere
  const std::uint64_t width = std::uint64_t{1} << (flags & 3);
  return {at + width, file.number(at, width)};
}

Hdf5Message message_at(const Hdf5Bytes& file, std::uint64_t at, const HeaderForm& form) {
  if (form.version == 1) {
    return {file.number(at, 2), file.number(at + 4, 1), at + form.prefix, file.number(at + 2, 2)};
  }
  return {file.number(at, 1), file.number(at + 3, 1), at + form.prefix, file.number(at + 1, 2)};
}

// Continuation blocks of version 2 carry a signature and a checksum around their messages.
Block continuation(const Hdf5Bytes& file, const Hdf5Message& message, const HeaderForm& form) {
  Block block{file.number(message.offset, 8), file.number(message.offset + 8, 8)};
  file.at(block.offset, block.size);
  if (form.version == 1) return block;
  if (block.size < 8 || !file.has(block.offset, "OCHK")) {
    file.fail("damaged: an object header's continuation is not where it should be");
  }
  return {block.offset + 4, block.size - 8};
}

std::string name_at(const Hdf5Bytes& file, std::uint64_t offset) {
  std::string name;
  while (true) {
    const auto c = static_cast<char>(file.number(offset + name.size(), 1));
    if (c == '\0') return name;
    if (name.size() == kMostName) file.fail("damaged: an object's name has no end");
    name.push_back(c);
  }
}

void add_object(const Hdf5Bytes& file, Objects& objects, std::string name, std::uint64_t address) {
  if (objects.size() == kMostObjects) {
    file.fail(fmt::format("more than {} objects in one group", kMostObjects));
  }
  if (!objects.emplace(std::move(name), address).second) {
    file.fail("damaged: two objects of one name");
  }
}

void add_symbols(const Hdf5Bytes& file, std::uint64_t node, std::uint64_t names,
                 std::size_t& visited, Objects& objects) {
  if (!file.has(node, "SNOD") || ++visited > kMostObjects) {
    file.fail("damaged: a group's symbols are not where they should be");
  }
  const std::uint64_t count = file.number(node + 6, 2);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t entry = node + 8 + 40 * i;
    const std::uint64_t offset = file.number(entry, 8);
    if (offset > file.size()) file.fail("damaged: an object's name lies outside the file");
    add_object(file, objects, name_at(file, names + offset), file.number(entry + 8, 8));
  }
}

// A tree of symbol nodes; its levels go down by one, so that it ends.
void walk_symbols(const Hdf5Bytes& file, std::uint64_t node, std::uint64_t level,
                  std::uint64_t names, std::size_t& visited, Objects& objects) {
  if (!file.has(node, "TREE") || file.number(node + 4, 1) != 0 ||
      file.number(node + 5, 1) != level || ++visited > kMostObjects) {
    file.fail("damaged: the tree of a group's symbols is broken");
  }
  const std::uint64_t count = file.number(node + 6, 2);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t child = file.number(node + 32 + 16 * i, 8);
    if (level == 0) {
      add_symbols(file, child, names, visited, objects);
    } else {
      walk_symbols(file, child, level - 1, names, visited, objects);
    }
  }
}

void add_symbol_table(const Hdf5Bytes& file, const Hdf5Message& message, Objects& objects) {
  const std::uint64_t tree = file.number(message.offset, 8);
  const std::uint64_t heap = file.number(message.offset + 8, 8);
  if (!file.has(heap, "HEAP")) file.fail("damaged: a group's names are not where they should be");
  const std::uint64_t names = file.number(heap + 24, 8);
  file.at(names, 1);
  std::size_t visited = 0;
  walk_symbols(file, tree, file.number(tree + 5, 1), names, visited, objects);
}

void add_link(const Hdf5Bytes& file, const Hdf5Message& message, Objects& objects) {
  const std::uint64_t flags = file.number(message.offset + 1, 1);
  std::uint64_t at = message.offset + 2;
  const std::uint64_t kind = (flags & 8) != 0 ? file.number(at++, 1) : 0;
  if ((flags & 4) != 0) at += 8;   // order of creation
  if ((flags & 16) != 0) at += 1;  // character set
  const std::uint64_t width = std::uint64_t{1} << (flags & 3);
  const std::uint64_t length = file.number(at, width);
  at += width;
  if (length > kMostName) file.fail("damaged: an object's name has no end");
  if (kind != 0) return;  // soft and external links lead to no dataset of this file
  const auto name = file.at(at, length);
  add_object(file, objects, {name.begin(), name.end()}, file.number(at + length, 8));
}

std::uint64_t root_header(const Hdf5Bytes& file) {
  if (!file.has(0, kSignature)) {
    file.fail("is no HDF5 file: it does not start with HDF5's signature");
  }
  const std::uint64_t version = file.number(8, 1);
  if (version > 3) {
    file.fail(fmt::format(
        "is an HDF5 file of superblock version {}, and 0 to 3 are read; rewrite it with "
        "`h5repack --low=0 --high=1`",
        version));
  }
  const bool old = version < 2;
  const std::uint64_t sizes = old ? 13 : 9;
  const std::uint64_t addresses = version == 0 ? 24 : version == 1 ? 28 : 12;
  if (file.number(sizes, 1) != 8 || file.number(sizes + 1, 1) != 8 ||
      file.number(addresses, 8) != 0) {
    file.fail(
        "damaged, or of a rare form of HDF5: its addresses are not of 8 bytes from its start");
  }
  const std::uint64_t end = file.number(addresses + 16, 8);
  if (end > file.size()) {
    file.fail(fmt::format("is cut short: {} of its {} bytes are there", file.size(), end));
  }
  return file.number(addresses + (old ? 40 : 24), 8);
}

}  // namespace

std::span<const std::uint8_t> Hdf5Bytes::at(std::uint64_t offset, std::uint64_t count) const {
  if (offset > bytes_.size() || count > bytes_.size() - offset) {
    fail(fmt::format("damaged: {} bytes at byte {} lie outside its {} bytes", count, offset,
                     bytes_.size()));
  }
  return std::span(bytes_).subspan(static_cast<std::size_t>(offset),
                                   static_cast<std::size_t>(count));
}

std::uint64_t Hdf5Bytes::number(std::uint64_t offset, std::uint64_t bytes) const {
  std::uint64_t value = 0;
  std::uint64_t shift = 0;
  for (const std::uint8_t byte : at(offset, bytes)) {
    value |= std::uint64_t{byte} << shift;
    shift += 8;
  }
  return value;
}

bool Hdf5Bytes::has(std::uint64_t offset, std::string_view signature) const {
  const auto bytes = at(offset, signature.size());
  return std::memcmp(bytes.data(), signature.data(), signature.size()) == 0;
}

void Hdf5Bytes::fail(const std::string& what) const { throw DataError(where_ + what); }

std::vector<Hdf5Message> hdf5_messages(const Hdf5Bytes& file, std::uint64_t address) {
  HeaderForm form;
  std::vector<Block> blocks = {first_block(file, address, form)};
  std::vector<Hdf5Message> messages;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const Block block = blocks[i];
    file.at(block.offset, block.size);
    std::uint64_t at = block.offset;
    const std::uint64_t end = block.offset + block.size;
    while (end - at >= form.prefix) {
      const Hdf5Message message = message_at(file, at, form);
      if (message.size > end - message.offset || messages.size() == kMostMessages) {
        file.fail("damaged: an object header's messages do not fit in it");
      }
      at = message.offset + message.size;
      if (message.type != kMessageContinuation) {
        messages.push_back(message);
      } else if (blocks.size() == kMostBlocks) {
        file.fail("damaged: an object header has no end");
      } else {
        blocks.push_back(continuation(file, message, form));
      }
    }
  }
  return messages;
}

Objects hdf5_objects(const Hdf5Bytes& file) {
  Objects objects;
  for (const Hdf5Message& message : hdf5_messages(file, root_header(file))) {
    if (message.type == kMessageSymbolTable) {
      add_symbol_table(file, message, objects);
    } else if (message.type == kMessageLink) {
      add_link(file, message, objects);
    } else if (message.type == kMessageLinkInfo) {
      const std::uint64_t flags = file.number(message.offset + 1, 1);
      const std::uint64_t heap = message.offset + 2 + ((flags & 1) != 0 ? 8 : 0);
      if (file.number(heap, 8) != kUndefined) {
        file.fail(
            "keeps its links in a heap, which is not read; rewrite it with "
            "`h5repack --low=0 --high=1`");
      }
    }
  }
  return objects;
}

}  // namespace tbn
