# Test binaries over Catch2 (version 2 of Debian 12 or 3 of Ubuntu 24.04), and Python end to end tests.

if(CMAKE_CROSSCOMPILING)
  # Version 2 is a header that serves every processor; but the folder that it lies in does not.
  find_path(TBN_CATCH2 catch2/catch.hpp NO_CMAKE_FIND_ROOT_PATH)
  if(NOT TBN_CATCH2)
    message(FATAL_ERROR "cross-compiled tests need the header of Catch2 version 2 (version 3 is a \
library for one processor): install Debian 12's catch2, or leave the tests out with \
-DTBN_BUILD_TESTS=OFF")
  endif()
  file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/catch")
  file(CREATE_LINK "${TBN_CATCH2}/catch2" "${PROJECT_BINARY_DIR}/catch/catch2" SYMBOLIC)
  add_library(Catch2::Catch2 INTERFACE IMPORTED)
  target_include_directories(Catch2::Catch2 INTERFACE "${PROJECT_BINARY_DIR}/catch")
  set(Catch2_VERSION 2)
else()
  find_package(Catch2 REQUIRED)
endif()
if(Catch2_VERSION VERSION_LESS 3)
  # Version 2 is a header; version 3 is a library that brings its own main.
  add_library(tbn_catch STATIC "${CMAKE_CURRENT_SOURCE_DIR}/support/main.cpp")
  target_link_libraries(tbn_catch PUBLIC Catch2::Catch2)
else()
  add_library(tbn_catch INTERFACE)
  target_link_libraries(tbn_catch INTERFACE Catch2::Catch2WithMain)
endif()

# Sanitizers see LibTorch's own allocations, which it never frees, as leaks.
set(TBN_TEST_ENVIRONMENT "UBSAN_OPTIONS=print_stacktrace=1")
set(TBN_TORCH_TEST_ENVIRONMENT ${TBN_TEST_ENVIRONMENT} "ASAN_OPTIONS=detect_leaks=0")

# tbn_add_tests(<binary> LABEL <label> SOURCES <file>... [LINK <target>...] [TORCH] [PCH <header>...]
# [PCH_FROM <binary>]) builds one binary and registers one test a source file: small enough to find
# what broke, large enough that LibTorch is not loaded once per test case.
function(tbn_add_tests binary)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH" "LABEL;PCH_FROM" "SOURCES;LINK;PCH")
  add_executable(${binary} ${arg_SOURCES})
  target_include_directories(${binary} PRIVATE
    "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${binary} PRIVATE ${arg_LINK} tbn_catch)
  tbn_compile_options(${binary})
  if(arg_PCH_FROM)
    target_precompile_headers(${binary} REUSE_FROM ${arg_PCH_FROM})
  elseif(arg_PCH)
    target_precompile_headers(${binary} PRIVATE ${arg_PCH})
  endif()
  set(environment ${TBN_TEST_ENVIRONMENT})
  if(arg_TORCH)
    set(environment ${TBN_TORCH_TEST_ENVIRONMENT})
  endif()
  foreach(source IN LISTS arg_SOURCES)
    get_filename_component(stem "${source}" NAME_WE)
    set(test "${arg_LABEL}.${stem}")
    # Catch2 gives each case its file's name as a tag under -#.
    add_test(NAME ${test} COMMAND ${binary} "-#" "[#${stem}]")
    set_tests_properties(${test} PROPERTIES LABELS ${arg_LABEL} TIMEOUT 600
      ENVIRONMENT "${environment}" FAIL_REGULAR_EXPRESSION "No test cases matched;No tests ran")
  endforeach()
endfunction()

# tbn_add_processor_tests(<processor> <instruction set>...) runs the unit tests of the runtime once
# more as an emulated processor, which must be found to have these instruction sets, best first.
function(tbn_add_processor_tests processor)
  list(JOIN ARGN " " sets)
  foreach(stem isas byte_ops fast parity prepared prepared_layouts session vector_math)
    set(stem "runtime_${stem}")
    set(test "${processor}.${stem}")
    add_test(NAME ${test} COMMAND tbn_unit "-#" "[#${stem}]")
    set_tests_properties(${test} PROPERTIES LABELS arm TIMEOUT 600
      ENVIRONMENT "QEMU_CPU=${processor};TBN_TEST_INSTRUCTION_SETS=${sets}"
      FAIL_REGULAR_EXPRESSION "No test cases matched;No tests ran")
  endforeach()
endfunction()

# tbn_add_python_test(<script> <label>) runs test_<name>.py with the folder of the tools, as
# <label>.<name>; it is shown as skipped where it exits with 77.
function(tbn_add_python_test script label)
  get_filename_component(stem "${script}" NAME_WE)
  string(REGEX REPLACE "^test_" "" stem "${stem}")
  set(test "${label}.${stem}")
  add_test(NAME ${test}
    COMMAND "${TBN_TEST_PYTHON}" "${script}" "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
  set_tests_properties(${test} PROPERTIES LABELS "${label}" TIMEOUT 900 SKIP_RETURN_CODE 77
    ENVIRONMENT "${TBN_TORCH_TEST_ENVIRONMENT};PYTHONDONTWRITEBYTECODE=1")
endfunction()
