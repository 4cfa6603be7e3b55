// The units of the values that a forecaster's file takes and gives: those of the table, with the
// statistics in its graph, or standardised ones, with the statistics in its rule.
#pragma once

#include <string>

#include "app/support/options.h"
#include "tbn/model.h"
#include "tbn/rule.h"

namespace tbn::app {

// --units
void add_units_option(CommandLine& line);

// Gives a packed network the units that --units asks for, original or standardised, and says so in
// `rule`; where the option is not given, original ones if `by_default`, else those that it has. A
// network whose rule knows no means and deviations stays as it is, unless the option asks for more.
// Returns whether anything changed. Throws ConfigError beginning with `where`.
bool set_units(const CommandLine& line, Model& packed, Rule& rule, bool by_default,
               const std::string& where);

}  // namespace tbn::app
