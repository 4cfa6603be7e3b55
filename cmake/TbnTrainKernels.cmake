# The trainer's own kernels for CUDA devices, by nvcc: an object library that sees no LibTorch.
include(TbnCuda)
file(GLOB kernels CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/train/tiled/gpu/*.cu")
add_library(tbn_train_kernels OBJECT ${kernels})
target_include_directories(tbn_train_kernels PRIVATE "${PROJECT_SOURCE_DIR}/src")
tbn_cuda_options(tbn_train_kernels)
