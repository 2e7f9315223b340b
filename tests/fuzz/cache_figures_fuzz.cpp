// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// Lines that nginx counts by, which hold what tablets asked for in no form.
#include "daemon/cache/figures.hpp"

#include <cstdint>
#include <cstdlib>

using namespace schultor::cache;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto& [origin, figures] : read_figure_lines({reinterpret_cast<const char*>(data), size}))
    if (origin.empty() || figures.hits > figures.requests || figures.requests > size || figures.fetched != 0) std::abort();
  return 0;
}
