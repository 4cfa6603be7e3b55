// Bilinear resizing with antialiasing: each output pixel is the mean of the input under a triangle
// that is as wide as the reduction asks for. The arithmetic is that of Pillow's BILINEAR (two
// passes of fixed-point sums, bytes between them), which torchvision's resize has on images.
#pragma once

#include <cstdint>

namespace tbn {

// A part of an image in pixels; the edges may lie between pixels.
struct ResizeBox {
  double top = 0;
  double left = 0;
  double height = 0;
  double width = 0;
};

// Where pixels may be read: rows [top, bottom), columns [left, right). Beyond, there are none.
struct ResizeBounds {
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t bottom = 0;
  std::int64_t right = 0;
};

// The whole pixels that a box touches: what is left where an image is cropped before it is resized.
ResizeBounds touched_by(const ResizeBox& box, std::int64_t height, std::int64_t width);

// Resizes `box` of `in`, [*, columns, 3], to `out`, [3, out_height, out_width]. Throws
// InternalError where the box is empty or leaves the bounds.
void resize_to_planes(const std::uint8_t* in, std::int64_t columns, const ResizeBounds& bounds,
                      const ResizeBox& box, std::int64_t out_height, std::int64_t out_width,
                      std::uint8_t* out);

}  // namespace tbn
