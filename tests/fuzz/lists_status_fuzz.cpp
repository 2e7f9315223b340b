// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// What is known of downloaded lists, as it is read from disk; what is accepted is written as it was read, and leads to no other
// file than a list's own.
#include "daemon/lists/update_status.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace schultor::lists;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = status_text(text);
  if (line.size() > longest_status_text || line.find('\n') != std::string::npos) std::abort();
  const auto status = update_status_from_json(text);
  if (!status) return 0;
  for (const auto& one : status->lists) {
    if (one.file.find('/') != std::string::npos || one.file.starts_with('.')) std::abort();
    if (status->find(one.list) != &one) std::abort();
    if ((one.state == UpdateState::ok) != one.reason.empty()) std::abort();
  }
  const auto back = update_status_from_json(to_json(*status));
  if (!back || !(*back == *status)) std::abort();
  return 0;
}
