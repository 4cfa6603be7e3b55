# SPNG::SPNG: libspng, which reads PNG files. Its own packages say where it is to pkg-config alone.
find_path(SPNG_INCLUDE_DIR spng.h)
find_library(SPNG_LIBRARY NAMES spng spng_static)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(SPNG REQUIRED_VARS SPNG_LIBRARY SPNG_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install libspng-dev, or set CMAKE_PREFIX_PATH to where libspng is")
mark_as_advanced(SPNG_INCLUDE_DIR SPNG_LIBRARY)
if(SPNG_FOUND AND NOT TARGET SPNG::SPNG)
  add_library(SPNG::SPNG UNKNOWN IMPORTED)
  set_target_properties(SPNG::SPNG PROPERTIES IMPORTED_LOCATION "${SPNG_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${SPNG_INCLUDE_DIR}")
endif()
