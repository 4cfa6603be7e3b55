// The members of a JSON object: few are searched one after another, many by a sorted index, so that
// a header of a hundred thousand keys is read and written as fast as its length says.
#include <map>

#include "file/json.h"

namespace tbn {
namespace {

constexpr std::size_t kFew = 16;

}  // namespace

struct Json::Object::Index {
  std::map<std::string, std::size_t, std::less<>> places;
};

Json::Object::Object() noexcept = default;
Json::Object::Object(Object&& other) noexcept = default;
Json::Object& Json::Object::operator=(Object&& other) noexcept = default;
Json::Object::~Object() = default;

Json::Object::Object(const Object& other)
    : members_(other.members_),
      index_(other.index_ == nullptr ? nullptr : std::make_unique<Index>(*other.index_)) {}

Json::Object& Json::Object::operator=(const Object& other) {
  if (this != &other) *this = Object(other);
  return *this;
}

std::size_t Json::Object::size() const { return members_.size(); }
Json::Object::Iterator Json::Object::begin() const { return members_.begin(); }
Json::Object::Iterator Json::Object::end() const { return members_.end(); }
const Json::Member& Json::Object::at(std::size_t index) const { return members_.at(index); }

std::optional<std::size_t> Json::Object::place_of(std::string_view key) const {
  if (index_ != nullptr) {
    const auto found = index_->places.find(key);
    if (found == index_->places.end()) return std::nullopt;
    return found->second;
  }
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].key == key) return i;
  }
  return std::nullopt;
}

const Json* Json::Object::find(std::string_view key) const {
  const auto place = place_of(key);
  return place ? &members_[*place].value : nullptr;
}

Json* Json::Object::find(std::string_view key) {
  const auto place = place_of(key);
  return place ? &members_[*place].value : nullptr;
}

bool Json::Object::append(std::string key, Json value) {
  if (place_of(key)) return false;
  members_.push_back({std::move(key), std::move(value)});
  if (members_.size() <= kFew) return true;
  const std::size_t indexed = index_ == nullptr ? 0 : members_.size() - 1;
  if (index_ == nullptr) index_ = std::make_unique<Index>();
  for (std::size_t i = indexed; i < members_.size(); ++i) {
    index_->places.emplace(members_[i].key, i);
  }
  return true;
}

}  // namespace tbn
