// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "netfilter/model/rule.hpp"
#include "netfilter/model/value.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace schultor::netfilter::model {

enum class Maps : std::uint8_t { nothing, to_mark, to_verdict };

struct SetDeclaration {
  std::string name;
  std::vector<Type> key;
  Maps maps = Maps::nothing;
  bool interval = false;  ///< elements may be ranges
  bool timeout = false;   ///< elements live for a time: they are kept, never reconciled
  /// Its elements are the kernel's own: rules put what they count or limit into it (CountConnections, LimitRate, Remember). At most
  /// so many.
  std::uint32_t fills_itself = 0;
  std::chrono::milliseconds lifetime{0};  ///< of elements that nobody gave one; 0: for ever
  bool operator==(const SetDeclaration&) const = default;
  /// Whether its elements come and go: they are never compared with what was asked for.
  [[nodiscard]] bool is_alive() const { return timeout || fills_itself > 0; }
  /// Whether somebody put its elements there for a time, and would miss them.
  [[nodiscard]] bool keeps_for_a_time() const { return timeout && fills_itself == 0; }
};

struct Set {
  SetDeclaration declaration;
  std::vector<Element> elements{};  ///< sorted by key
};

/// What makes a chain a base chain. The names are nft's ("filter", "prerouting").
struct Hook {
  enum class Type : std::uint8_t { filter, nat };
  enum class Point : std::uint8_t { prerouting, input, forward, output, postrouting };  ///< NF_INET_… in this order
  Type type = Type::filter;
  Point point = Point::prerouting;
  std::int32_t priority = 0;
  bool drops = false;  ///< policy drop; else accept
  bool operator==(const Hook&) const = default;
};

struct Chain {
  std::string name;
  std::optional<Hook> hook{};
  std::vector<Rule> rules{};
};

/// Where connections are kept that rules have put into it (AddFlow): hooked to devices at ingress, before routing.
struct Flowtable {
  std::string name;
  std::int32_t priority = 0;
  std::vector<std::string> devices{};  ///< interfaces, sorted
  bool operator==(const Flowtable&) const = default;
};

/// A table of family inet, whole.
struct Ruleset {
  std::string table;
  std::vector<Set> sets{};
  std::vector<std::string> counters{};
  std::vector<Flowtable> flowtables{};  ///< only for kernels that have them
  std::vector<Chain> chains{};
};

/// In nft's syntax, for `nft -f`. Equal rulesets give equal text.
std::string render(const Ruleset& ruleset);
std::string to_string(const Rule& rule);

}  // namespace schultor::netfilter::model
