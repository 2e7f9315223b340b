// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/dns/message.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace schultor::dns {

/// A question in the form that nearly every tablet sends, read in place: a standard query with one question of class IN whose
/// name is not compressed, and at most an OPT record behind it. Anything else is for read_query() to judge.
struct PlainQuestion {
  std::uint16_t id = 0;
  bool recursion_desired = false;
  bool authentic_data = false;
  bool checking_disabled = false;
  ByteView name;  ///< as sent, with its root; borrowed from the packet
  std::uint16_t type = 0;
  std::optional<Edns> edns;
};

/// None for a packet of another form. What it finds is what read_query() finds, and that has no fault.
[[nodiscard]] std::optional<PlainQuestion> read_plain_question(ByteView packet);
/// The same of a question that was read already; its name is borrowed from `query`. None for one that is not of this form.
[[nodiscard]] std::optional<PlainQuestion> plain_question_of(const Query& query);
/// How long the answer may be over UDP; see udp_limit() of a Query.
[[nodiscard]] std::size_t udp_limit(const std::optional<Edns>& edns);

}  // namespace schultor::dns
