// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/dns/decide.hpp"
#include "daemon/dns/message.hpp"

#include <cstdint>
#include <vector>

/// What of the resolver's answer may be told to a view. Pure.
namespace schultor::dns {

enum class Outcome : std::uint8_t {
  passes,   ///< what is left of the answer
  refused,  ///< a name of its CNAME chain is refused
  empty,    ///< there were records, and none of them may be told
};

/// Whether answers to questions of this type tell addresses: screen() looks at those of no other.
[[nodiscard]] bool tells_addresses(std::uint16_t type);

struct Screened {
  Outcome outcome = Outcome::passes;
  /// Every address that the answer now tells, hints of service bindings included: to be pinned before it leaves.
  std::vector<base::Address> addresses;
};

/// Takes out of `answer`, which is to a question that decide() had asked under the same rules:
/// - addresses and hints that lead inside (DNS rebinding), but in the school's own zones; that lead nowhere; beyond
/// limits::addresses
/// - service bindings whose target may not be asked for itself; a malformed set of them; `ech` and `dohpath` in a listed profile
/// What it changed bears neither signatures nor AD any more.
/// Of the names in a CNAME chain an open profile must allow every one; in a listed one the question's name decides, but a name
/// that is never open refuses the whole answer in any, unless the question's is the cloud's.
[[nodiscard]] Screened screen(const Rulebook& book, std::uint32_t view, const Query& query, Answer& answer);

}  // namespace schultor::dns
