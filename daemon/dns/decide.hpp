// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/dns/message.hpp"
#include "daemon/dns/rulebook.hpp"
#include "daemon/policy/special_names.hpp"

#include <cstdint>
#include <string_view>

/// What becomes of a question: a pure function of rules, view and question.
namespace schultor::dns {

enum class Action : std::uint8_t {
  drop,       ///< no answer at all: the packet carries no view
  fault,      ///< the query's own fault is the answer
  not_ours,   ///< another class, a zone transfer, a type that asks about a server: NOTIMP
  nx_domain,  ///< refused
  no_data,    ///< refused, but names below may be allowed
  no_type,    ///< allowed, but this type of record is never handed out: NODATA
  any,        ///< allowed, ANY: a minimal answer
  own,        ///< a special name that the gate answers itself: with addresses, a name, or that it holds nothing
  absent,     ///< a special name that does not exist
  steered,    ///< a kept origin's name, which the cache answers for: the box's own addresses
  ask,        ///< the resolver is asked
};

struct Decision {
  Action action = Action::drop;
  /// Where addresses of the answer are pinned to, whatever view asks; only with `ask`.
  policy::Doors doors = 0;
  /// With `ask`, the name that the resolver is asked for in place of the question's; empty: the question's. Lives for ever.
  std::string_view in_place{};
  /// With `own`, what it is.
  policy::Special special = policy::Special::empty;
  /// With `ask`, whether it would be steered if the cache answered for it: whoever asks is to ask again soon.
  bool kept = false;
  bool operator==(const Decision&) const = default;
};

/// `view` is the mark of the packet that brought the question; bit i of `well` says that the cache answers for the i-th origin.
[[nodiscard]] Decision decide(const Rulebook& book, std::uint32_t view, const Query& query, std::uint64_t well = 0);

/// The answer to every decision but `drop` and `ask`.
[[nodiscard]] Answer answer_to(const Decision& decision, const policy::GateRules& rules, const Query& query);

}  // namespace schultor::dns
