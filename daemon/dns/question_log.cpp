// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/dns/question_log.hpp"

#include "daemon/dns/limits.hpp"
#include "daemon/dns/message.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace schultor::dns {
namespace {

/// Its mnemonic, else as RFC 3597 writes it.
std::string type_text(std::uint16_t type) {
  constexpr std::array<std::pair<std::uint16_t, const char*>, 13> names{{{rr::a, "A"},
                                                                         {rr::ns, "NS"},
                                                                         {rr::cname, "CNAME"},
                                                                         {rr::soa, "SOA"},
                                                                         {rr::ptr, "PTR"},
                                                                         {rr::mx, "MX"},
                                                                         {rr::txt, "TXT"},
                                                                         {rr::aaaa, "AAAA"},
                                                                         {rr::srv, "SRV"},
                                                                         {rr::ds, "DS"},
                                                                         {rr::svcb, "SVCB"},
                                                                         {rr::https, "HTTPS"},
                                                                         {rr::any, "ANY"}}};
  for (const auto& [number, name] : names)
    if (number == type) return name;
  return fmt::format("TYPE{}", type);
}

}  // namespace

std::string to_string(const LoggedQuestion& question) {
  return fmt::format("question {} {} in {}: {}{}", question.name.empty() ? "." : question.name, type_text(question.type),
                     question.profile, to_string(question.verdict), question.kept ? ", kept" : "");
}

void QuestionLog::use(const QuestionLogging& wanted, Time now) {
  wanted_ = wanted;
  wanted_.until = std::min(wanted.until, now + limits::question_log);
  const bool begins = wanted_.until > now && !on_;
  on_ = wanted_.until > now;
  second_ = now;
  in_second_ = 0;
  // An end is told with what was left out until then.
  if (begins) left_out_ = 0;
}

bool QuestionLog::wants(std::uint32_t view, Time now) {
  if (!on_ || now >= wanted_.until) return false;
  const auto& views = wanted_.views;
  if (views != std::array<std::uint32_t, 2>{} && std::find(views.begin(), views.end(), view) == views.end()) return false;
  if (now >= second_ + std::chrono::seconds(1)) {
    second_ = now;
    in_second_ = 0;
  }
  if (in_second_ < limits::logged_a_second) {
    ++in_second_;
    return true;
  }
  ++left_out_;
  return false;
}

void QuestionLog::tick(Time now) { on_ = on_ && now < wanted_.until; }

}  // namespace schultor::dns
