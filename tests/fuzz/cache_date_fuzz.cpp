// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// A date of HTTP: what is read is written so that the same is read again.
#include "daemon/cache/http_date.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace schultor::cache;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto year : {1970, 1999, 2026, 2099}) {
    const std::chrono::sys_seconds now = std::chrono::sys_days{std::chrono::year{year} / 7 / 1};
    const auto instant = read_http_date(text, now);
    // A leap second at the end of 9999 has no date.
    if (!instant || *instant >= std::chrono::sys_days{std::chrono::year{10000} / 1 / 1}) continue;
    if (read_http_date(to_http_date(*instant), now) != instant) std::abort();
  }
  return 0;
}
