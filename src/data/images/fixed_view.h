// The one view of a picture file that is seen wherever nothing is drawn at random: in evaluation
// and in prediction.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/images/picture.h"
#include "data/source/options.h"
#include "prepare/resize.h"

namespace tbn {

// Decodes a JPEG or PNG and writes [3, image_size, image_size]: its shorter side brought to
// evaluation_resize(), the centre cut out. `name` starts the error sentences ("'a.jpg'"). Throws
// DataError.
void fixed_view(std::span<const std::uint8_t> bytes, const std::string& name,
                const FolderOptions& options, std::uint8_t* out);

// The shorter side that an image is resized to before the centre crop in evaluation: data.resize,
// or 8/7 of image_size where it is 0; at most 4096.
std::int64_t evaluation_resize(const FolderOptions& options);

// What a JPEG's sides are divided by when it is decoded: with `reduce` as much as leaves the window
// `side` pixels, else 1. Throws DataError for an image that is too large to be decoded exactly.
int view_denominator(const PictureDecoder& picture, const ResizeBox& window, std::int64_t side,
                     bool reduce, const std::string& name);

// A window of an image as a window of the same image at 1/denominator of its size.
ResizeBox reduced(const ResizeBox& window, int denominator);

}  // namespace tbn
