// Which rules there are: the steps of each kind, in which order and how often, and what the members
// of a rule say together. Every rule is checked against it where it is read, so that code which
// carries it out, here or in a later program, finds no step that it would have to ignore.
//
//   image    [decode] [orient] resize crop, or no steps: pixels as they are stored
//   points   [first] [centre] [scale] choose; at least three columns where they are named
//   series   standardise, or no steps and units: "graph"
//
// A rule with a kind or a step that this tbn does not know is a later tbn's: its grammar is not
// known either, the network runs, and nothing here prepares its inputs.
#pragma once

#include <string>

#include "tbn/rule.h"

namespace tbn {

// What is wrong with a part, as the rest of a sentence; empty where nothing is.
std::string fault_of(const InputRule& rule);
std::string fault_of(const OutputRule& rule);
std::string fault_of(const MeasuredRule& rule);

// The same of parts beside each other: which outputs and which samples there can be of an input.
std::string fault_between(const InputRule& input, const OutputRule& output);
std::string fault_between(const InputRule& input, const MeasuredRule& measured);

// Whether this tbn knows the kind and all steps.
bool is_known(const InputRule& rule);

// The units of a series are the graph's or the rule's. Throws DataError, beginning with `where`,
// where the rule says otherwise than the graph: `in_graph` is whether that has them.
void check_rule_units(const Rule& rule, bool in_graph, const std::string& where);

}  // namespace tbn
