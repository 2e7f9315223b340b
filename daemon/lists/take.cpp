// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/take.hpp"

#include "daemon/lists/list_set.hpp"

#include <fmt/format.h>

namespace schultor::lists {
namespace {

/// Of a list's lines, how many may be unreadable: a page that says “sign in first” is all junk.
constexpr std::uint64_t most_junk_percent = 10;

class Counter final : public Sink {
public:
  void name(std::string_view, Scope) override { ++counted.entries; }
  void prefix(const base::Prefix&) override {
    ++counted.entries;
    ++counted.networks;
  }
  void left_out(LeftOut kind, Place, std::string_view, std::string_view) override {
    ++(kind == LeftOut::junk ? counted.junk : counted.unusable);
  }
  Counted counted;
};

}  // namespace

Counted count(std::string_view text, Format format) {
  Counter counter;
  read_list(text, format, counter);
  return counter.counted;
}

base::Result<void> check_is_list(const Counted& file) {
  const auto readable = file.entries + file.unusable;
  if (file.junk <= readable) return {};
  return base::fail(
      "{} of {} lines cannot be read: it is no list, or its format or encoding is another one: mend it or take it away", file.junk,
      readable + file.junk);
}

Judgement judge(const Counted& fresh, std::optional<std::uint64_t> in_use, bool forced) {
  const auto lines = fresh.entries + fresh.junk;
  if (fresh.entries == 0) return {Verdict::refuse, "there is no name in it: it is no list, or its format is another one"};
  if (fresh.junk * 100 > lines * most_junk_percent)
    return {Verdict::refuse,
            fmt::format("{} of {} lines cannot be read: it is no list, or its format is another one", fresh.junk, lines)};
  if (fresh.networks > most_networks_of_a_rule)
    return {Verdict::refuse,
            fmt::format("there are {} addresses in it, expected at most {}", fresh.networks, most_networks_of_a_rule)};
  if (!forced && in_use && fresh.entries * 2 <= *in_use)
    return {Verdict::hold, fmt::format("it shrank from {} entries to {}", *in_use, fresh.entries)};
  return {};
}

}  // namespace schultor::lists
