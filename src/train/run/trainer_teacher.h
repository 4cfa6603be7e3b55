// Where a training keeps its teacher's outputs, and of what they are (teacher.views).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "train/run/trainer_setup.h"
#include "train/state/run_directory.h"
#include "train/step/teacher_cache.h"

namespace tbn {

// How many views of each sample have outputs that are kept; 0: none, or there is no teacher.
std::int64_t kept_views(const TeacherConfig& teacher);

// Throws as TeacherCache does where there is a file that does not fit this training. `reports` is
// where the run's own file lies.
void check_teacher_cache(const Config& config, const TrainerSetup& setup,
                         const RunDirectory& reports);

// Opens the file, or makes it, and adds a line on it to `notes`.
std::unique_ptr<TeacherCache> open_teacher_cache(const Config& config, const TrainerSetup& setup,
                                                 const RunDirectory& reports,
                                                 std::vector<std::string>& notes);

}  // namespace tbn
