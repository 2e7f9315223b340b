// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/lists/reader.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace schultor::lists {

/// How much a list holds.
struct Counted {
  std::uint64_t entries = 0;   ///< names and addresses, as often as they stand there
  std::uint64_t networks = 0;  ///< those of them that are addresses
  std::uint64_t junk = 0;      ///< lines that could not be read
  std::uint64_t unusable = 0;  ///< lines that a table cannot hold
};
/// Pure but for IDNA's tables.
[[nodiscard]] Counted count(std::string_view text, Format format);

enum class Verdict : std::uint8_t {
  take,
  hold,    ///< it may be right, but somebody should look first
  refuse,  ///< it is no list
};
struct Judgement {
  Verdict verdict = Verdict::take;
  std::string reason;  ///< empty: it is taken
};

/// Whether a file in a folder of lists is one: an error where more of its lines cannot be read than can, as of a page that says
/// “not found”, or of a file in another encoding. Taken for a list it would open what it closed.
[[nodiscard]] base::Result<void> check_is_list(const Counted& file);

/// What becomes of a list that was downloaded. One that has lost half of the entries that are `in_use` is held back, unless it is
/// asked for all the same: who took over its host, or cut its file short, would open what it closes. `in_use`: none where there is
/// nothing to compare with, as of a list that comes from elsewhere now. Pure.
[[nodiscard]] Judgement judge(const Counted& fresh, std::optional<std::uint64_t> in_use, bool forced);

}  // namespace schultor::lists
