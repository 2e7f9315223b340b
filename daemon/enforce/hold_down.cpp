// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/hold_down.hpp"

#include <utility>

namespace schultor::enforce {

void HoldDown::happened(const std::string& text, const std::string& last, bool urgent) {
  if (held_ && !urgent) {
    ++held_->more;
    held_->last = last;
    return;
  }
  tell_(text);
  if (held_) return;
  held_ = Held{0, {}};
  auto end = loop_.after(span_, [this] {
    const auto held = *std::exchange(held_, std::nullopt);
    if (held.more > 0) tell_(summary_(held.more, held.last));
  });
  if (end) end_ = std::move(*end);
  else held_.reset();
}

}  // namespace schultor::enforce
