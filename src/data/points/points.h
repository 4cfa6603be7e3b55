// The data sets of point clouds: published ones read from files, and two that are generated.
#pragma once

#include <vector>

#include "data/source/reader.h"

namespace tbn {

// 12,311 objects of 40 classes (Wu et al. 2015): modelnet40_ply_hdf5_2048, or the text files of
// modelnet40_normal_resampled.
DatasetReader modelnet40_reader();

// 16,881 objects of 16 categories with 50 parts (Yi et al. 2016): hdf5_data, or the text files of
// shapenetcore_partanno_segmentation_benchmark_v0_normal.
DatasetReader shapenet_part_reader();

// 23,585 blocks of rooms, 13 classes (Armeni et al. 2016): indoor3d_sem_seg_hdf5_data. Area 5 is
// the test set.
DatasetReader s3dis_reader();

// Generated, no files: 4,000 training and 1,000 test clouds each. Small stand-ins, to try a network
// or a setting in minutes; they say nothing of scanned or modelled objects.
DatasetReader shapes_reader();       // ten solids to tell apart
DatasetReader shape_parts_reader();  // objects of six categories, each with two to four parts

// All of them.
std::vector<DatasetReader> point_readers();

}  // namespace tbn
