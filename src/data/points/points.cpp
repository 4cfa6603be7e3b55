// The list of point data sets.
#include "data/points/points.h"

namespace tbn {

std::vector<DatasetReader> point_readers() {
  return {modelnet40_reader(), shapenet_part_reader(), s3dis_reader(), shapes_reader(),
          shape_parts_reader()};
}

}  // namespace tbn
