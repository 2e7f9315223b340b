// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2

// A list in the format “adblock”, read and made a table of.
#include "tests/fuzz/lists_reading.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return schultor::fuzz::read_as(schultor::lists::Format::adblock, data, size);
}
