// The main function of every test binary where Catch2 is version 2, a header without one.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
