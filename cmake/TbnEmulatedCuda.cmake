# The CUDA kernels compiled for the host, where an emulator of the device runs them, and their tests
# (label cuda). Needs CUDA's headers, neither nvcc nor a device; the emulator knows x86-64, and
# sanitizers do not know its fibers.
find_package(CUDAToolkit 12.8 QUIET)
if(NOT CUDAToolkit_FOUND OR CMAKE_CROSSCOMPILING OR TBN_SANITIZE
   OR NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  message(STATUS "tests of the CUDA kernels in an emulator are left out: they need the headers of CUDA \
12.8 or newer, an x86-64 processor and no sanitizers")
  return()
endif()

file(GLOB_RECURSE cuda_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/runtime/cuda/*.cpp"
  "${PROJECT_SOURCE_DIR}/src/runtime/cuda/*.cu")
file(GLOB emulator_sources CONFIGURE_DEPENDS support/cuda_emulator/*.cpp)
# Values are looked at as the bits of others, as nvcc allows.
set(as_device_code -include support/cuda_emulator/device.h -include support/cuda_emulator/ptx_mma.h
  -include support/cuda_emulator/ptx_hopper.h -fno-strict-aliasing -Wno-unknown-pragmas -Wno-conversion
  -Wno-unused-parameter)
list(FILTER cuda_sources EXCLUDE REGEX "/missing/|/matrix_symbols\\.cpp$")  # support/cuda_emulator/matrices.cpp
set(kernel_sources ${cuda_sources})
list(FILTER kernel_sources INCLUDE REGEX "\\.cu$")
set_source_files_properties(${kernel_sources} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS
  "-xc++;${as_device_code}")
add_library(tbn_cuda_emulated STATIC ${cuda_sources} ${emulator_sources})
target_include_directories(tbn_cuda_emulated PRIVATE "${PROJECT_SOURCE_DIR}/src"
  "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/tests")
target_include_directories(tbn_cuda_emulated SYSTEM PUBLIC ${CUDAToolkit_INCLUDE_DIRS})
target_link_libraries(tbn_cuda_emulated PUBLIC tbn_runtime)
tbn_compile_options(tbn_cuda_emulated)

file(GLOB emulated_test_sources CONFIGURE_DEPENDS cuda/*.cpp cuda/emulated/*.cpp)
# Those with kernels of their own.
set_source_files_properties(cuda/emulated/emulator.cpp cuda/emulated/ptx_mma.cpp
  cuda/emulated/ptx_hopper.cpp PROPERTIES COMPILE_OPTIONS "${as_device_code}")
file(GLOB cuda_test_support CONFIGURE_DEPENDS cuda/support/*.cpp)
list(FILTER cuda_test_support EXCLUDE REGEX "/device_or_skip\\.cpp$")
tbn_add_tests(tbn_cuda_tests LABEL cuda SOURCES ${emulated_test_sources}
  LINK ${plain_libraries} tbn_cuda_emulated)
target_sources(tbn_cuda_tests PRIVATE ${cuda_test_support})

# Once more, with threads in an order that no barrier prescribes.
add_executable(tbn_cuda_shuffled cuda/shuffled/shuffled_threads.cpp
  $<TARGET_OBJECTS:tbn_cuda_tests>)
target_include_directories(tbn_cuda_shuffled PRIVATE "${PROJECT_SOURCE_DIR}/tests")
target_link_libraries(tbn_cuda_shuffled PRIVATE ${plain_libraries} tbn_cuda_emulated tbn_catch)
tbn_compile_options(tbn_cuda_shuffled)
add_test(NAME cuda.shuffled COMMAND tbn_cuda_shuffled)
set_tests_properties(cuda.shuffled PROPERTIES LABELS cuda TIMEOUT 600)

# That the program which times kernels on a device works, before there is a device.
add_executable(tbn_cuda_ladder_emulated bench/cuda_ladder.cpp)
target_include_directories(tbn_cuda_ladder_emulated PRIVATE "${PROJECT_SOURCE_DIR}/src")
target_link_libraries(tbn_cuda_ladder_emulated PRIVATE tbn_cuda_emulated)
tbn_compile_options(tbn_cuda_ladder_emulated)
add_test(NAME cuda.ladder COMMAND tbn_cuda_ladder_emulated --small)
set_tests_properties(cuda.ladder PROPERTIES LABELS cuda TIMEOUT 300)
