// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// Header sections as an origin writes them, and what is decided by them: nothing reaches the engine that commands it, or that the
// origin forbade to store.
#include "daemon/cache/cache_control.hpp"
#include "daemon/cache/decision.hpp"
#include "daemon/cache/response_lines.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace schultor::cache;
using std::chrono::seconds;

namespace {

void check(const ResponseHead& response, bool stored) {
  std::size_t own = 0;
  for (const auto& [name, value] : response.fields) {
    if (!is_token(name) || !is_field_value(value)) std::abort();
    if (equal_without_case(name, "X-Accel-Expires")) ++own;
    else if (equal_without_case(std::string_view(name).substr(0, 8), "X-Accel-")) std::abort();
    if (equal_without_case(name, "Content-Length") || equal_without_case(name, "Transfer-Encoding")) std::abort();
    if (stored && equal_without_case(name, "Set-Cookie")) std::abort();
  }
  if (own != (stored ? 1U : 0U)) std::abort();
}

void decide_all(const FetchedHead& head) {
  const std::chrono::sys_seconds now{seconds{1'795'000'000}};
  for (const bool ranged : {false, true}) {
    EngineRequest request;
    request.method = "GET";
    request.store = true;
    if (ranged) request.slice = ByteRange{0, 99};
    const auto decision = decide(request, false, head, {true, 1U << 20U, seconds{86400}, seconds{60}}, now, now);
    if (decision.move == Decision::Move::store) {
      check(decision.response, true);
      if (!head.well_formed || read_cache_control(head.fields.joined("Cache-Control").value_or("")).no_store) std::abort();
      if (decision.response.status == 206 && (!ranged || !decision.response.length || *decision.response.length > 100))
        std::abort();
    }
    if (const auto parked = from_parked(request, head, request.slice)) check(*parked, false);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  ResponseLines lines;
  while (!rest.empty() && !lines.complete()) {
    const auto end = rest.find('\n');
    const auto count = end == std::string_view::npos ? rest.size() : end + 1;
    if (!lines.add(rest.substr(0, count))) return 0;
    rest.remove_prefix(count);
  }
  if (!lines.complete()) return 0;
  decide_all({lines.status(), lines.fields(), lines.length(), lines.delimited(), lines.well_formed()});
  return 0;
}
