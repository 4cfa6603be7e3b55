// What a user names on the command line becomes inputs of a network, one after another.
#pragma once

#include <string>

#include "predict/input.h"

namespace tbn {

// Takes the inputs of `path`: a file, all files of the network's kind below a folder (sorted by
// their names, those that begin with a dot left out), or "-" for the standard
// input. A file is a picture, a cloud as text or a table (whichever the network takes), or a .npy
// array, told by its first bytes. What cannot be read is taken with its error, and the others go
// on.
void take_inputs(const std::string& path, const NetworkForm& form, TakeInput take);

}  // namespace tbn
