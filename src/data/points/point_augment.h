// Random views of a point cloud for training, as PointNet's reference draws them (Qi et al. 2017):
// rotation, jitter, scale, shift, and points that are dropped. What is drawn for a cloud depends on
// (seed, epoch, its index in the set) alone.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/counter_rng.h"
#include "data/source/options.h"

namespace tbn {

// Uniform in [0, 1) with 53 bits.
double uniform(CounterRng& rng);
// Normal with mean 0 and deviation 1 (Box and Muller).
double gaussian(CounterRng& rng);

using Rotation = std::array<double, 9>;  // row-major 3 x 3, determinant 1

// By `angle` radians about axis 0, 1 or 2.
Rotation rotation_about(int axis, double angle);
// Uniform over all rotations, from three numbers uniform in [0, 1) (Shoemake 1992).
Rotation rotation_of(double a, double b, double c);
// The three floats at `point`, rotated in place.
void rotate(const Rotation& rotation, float* point);

// Which columns of a cloud are what.
struct PointLayout {
  std::int64_t columns = 3;  // floats per point; the first three are its coordinates
  bool normals = false;      // columns 3..5 are a normal: rotated as the point is, nothing else
  int up_axis = 1;
};

// Throws ConfigError that names the key under data.points and its range.
void check_point_options(const PointOptions& options);

// Augments `points` [N, layout.columns] in place; `labels` holds one per point, or is empty. A
// dropped point becomes a copy of the first, with its label: the reference's way to keep N.
void augment_points(const PointOptions& options, const PointLayout& layout, CounterRng rng,
                    std::span<float> points, std::span<std::int64_t> labels);

}  // namespace tbn
