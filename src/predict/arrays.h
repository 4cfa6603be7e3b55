// NumPy arrays as inputs: one, or a row of them.
#pragma once

#include <string>

#include "file/npy.h"
#include "predict/input.h"

namespace tbn {

// Takes each input of an array, in order:
//
//   pictures   [C, H, W] as the network takes it, or [H, W, C], or those values in a row, 0 to 255
//              of any type; bytes [height, width, 3] of another size, which are prepared
//   clouds     [n, columns], floats
//   series     [rows, columns], of which the last are taken
//   networks whose file does not say how inputs are made: their own shape
//
// and with one dimension more in front, so many of them, named "a.npy[0]", "a.npy[1]", ... Throws
// DataError for an array of another shape. One input that cannot be used (a value that is not
// finite or no pixel) is taken with its error.
void take_array(const NpyArray& array, const std::string& name, const NetworkForm& form,
                TakeInput take);

}  // namespace tbn
