// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/enforce/numbers.hpp"
#include "daemon/enforce/state_file.hpp"

namespace schultor::enforce {

base::Result<Numbers> load_numbers(const std::string& path) {
  const auto text = read_state(path);
  if (!text) return base::pass(base::Result<std::optional<std::string>>(text));
  if (!*text) return Numbers{};
  auto numbers = numbers_from_json(**text);
  if (!numbers)
    return base::pass(std::move(numbers), path +
                                              ": this file keeps the numbers of groups apart; restore it from a backup, or move it "
                                              "away and restart the machine, so that no connection carries an old number");
  return numbers;
}

base::Result<void> save_numbers(const std::string& path, const Numbers& numbers) { return replace_state(path, to_json(numbers)); }

}  // namespace schultor::enforce
