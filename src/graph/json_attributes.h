// The attributes of an op as members of a JSON object: what both forms of a graph's JSON share.
#pragma once

#include <optional>
#include <string_view>

#include "file/json.h"
#include "tbn/ops.h"

namespace tbn {

// The op of that name with its default attributes; nothing where there is none.
std::optional<Op> standard_op(std::string_view name);

// Adds to `json` each attribute in which `op` differs from `standard`, an op of the same name.
void encode_attributes(const Op& op, const Op& standard, Json& json);

// All attributes of `op` but lists, those with their default value too.
Json single_attributes(const Op& op);

// Sets the attributes of `op` that `json` has. Throws DataError for a value that is none, and for a
// member that is neither an attribute nor "op", "name" or "inputs".
void decode_attributes(const Json& json, Op& op);

// Whether the op has an attribute that is a list, and some entries in it.
bool has_list(const Op& op);

}  // namespace tbn
