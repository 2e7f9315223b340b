// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/lists/idn.hpp"

#include <idn2.h>

#include <cstdint>
#include <memory>

namespace schultor::lists {
namespace {

struct Free {
  void operator()(char* text) const { idn2_free(text); }
};

}  // namespace

std::optional<std::string> to_a_labels(std::string_view name) {
  constexpr std::size_t longest = 1024;
  if (name.size() > longest || name.find('\0') != std::string_view::npos) return std::nullopt;
  char* converted = nullptr;
  const int answer = idn2_to_ascii_8z(std::string(name).c_str(), &converted, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<char, Free> owner(converted);
  if (answer != IDN2_OK || !owner) return std::nullopt;
  return std::string(owner.get());
}

}  // namespace schultor::lists
