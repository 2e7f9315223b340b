// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// The head of a stored answer, as a damaged disk may give it.
#include "daemon/cache/stored_file.hpp"

#include <cstdint>
#include <cstdlib>

using namespace schultor::cache;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto head = read_stored_head({reinterpret_cast<const char*>(data), size});
  if (!head) return 0;
  if (head->body_start > size || head->key.size() >= head->body_start || head->status < 100) std::abort();
  if (is_whole(*head, head->body_start - 1)) std::abort();
  return 0;
}
