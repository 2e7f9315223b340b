// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// A response with all that is read of it: its first octet says what was asked, the lines after it are its header section.
#include "daemon/cache/byte_range.hpp"
#include "daemon/cache/cache_control.hpp"
#include "daemon/cache/entity_tag.hpp"
#include "daemon/cache/freshness.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace schultor::cache;
using std::chrono::seconds;

namespace {

constexpr int statuses[] = {200, 206, 304, 404, 503, 302, 598, 100};

void check(const Exchange& exchange, const UrlRules& rules) {
  const auto judgement = judge(exchange, rules);
  if (judgement.age < seconds{0} || judgement.age > longest_delta) std::abort();
  if (judgement.refusal) return;
  if (judgement.fresh < seconds{0} || judgement.fresh > rules.longest) std::abort();
  if (judgement.stale_if_error < seconds{0} || judgement.stale_if_error > usual_stale_if_error) std::abort();
  const auto control = read_cache_control(exchange.response.joined("Cache-Control").value_or(""));
  if (control.no_store || control.is_private || exchange.response.has("Set-Cookie") || !exchange.delimited) std::abort();
  if (exchange.credentials && !control.is_public) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
  HeaderFields fields;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    static_cast<void>(add_line(fields, rest.substr(0, end)));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  const std::chrono::sys_seconds now{seconds{1'795'000'000}};
  const auto range = read_content_range(fields.single("Content-Range").value_or(""));
  const auto complete = range ? std::optional(range->complete) : std::nullopt;
  check({(*data & 8U) != 0, statuses[*data & 7U], fields, complete, (*data & 16U) != 0, now - seconds{3}, now},
        {true, 1U << 20U, seconds{86400}, (*data & 32U) != 0 ? std::optional(seconds{60}) : std::nullopt});

  if (range && (range->range.size() > range->complete || (range->is_whole() && !answers(*range, range->range)))) std::abort();
  auto request = end_to_end(fields);
  restore_conditions(request);
  // A tag that was made for the origin is asked of it as what it knows.
  if (const auto tag = made_tag(fields, 7, now)) {
    if (!is_strong_tag(*tag)) std::abort();
    HeaderFields conditional;
    if (!conditional.add("If-None-Match", *tag)) std::abort();
    restore_conditions(conditional);
    if (conditional.joined("If-None-Match").value_or("").starts_with("\"schultor-")) std::abort();
    if (!conditional.has("If-None-Match") && !conditional.has("If-Modified-Since")) std::abort();
  }
  return 0;
}
