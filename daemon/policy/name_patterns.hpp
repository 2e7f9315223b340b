// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"
#include "daemon/policy/doors.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace schultor::policy {

/// Where a rule was written.
struct Source {
  std::string file;  ///< as the error messages name it, e.g. "city.toml"
  int line = 0;      ///< from 1; 0 when unknown

  auto operator<=>(const Source&) const = default;
};

/// One entry of a list: a name that means itself and all below it; `*` stands for any run of characters within one label.
struct Pattern {
  std::string text;  ///< lower case, A-labels, no trailing dot: "mnspro.cloud", "*-files.sharepoint.com"
  Source source;
  Doors doors = cloud_door;  ///< of a cloud name: the ports that it is open on; of any other it means nothing

  bool operator==(const Pattern&) const = default;
};

/// Reads an entry as written in a file: lowers case, drops one trailing dot, checks labels (1–63 octets,
/// 253 in all; letters, digits, '-', '_', '*'; not digits alone in the last one: addresses are no names). A single '*' label in
/// front is allowed ("*.a.b" means names below a.b).
base::Result<Pattern> parse_pattern(std::string_view text, Source source);

/// How well a pattern fits: more labels first, then exact before wildcard. Ordered, higher is more specific.
struct Specificity {
  int labels = 0;
  bool exact = false;

  auto operator<=>(const Specificity&) const = default;
};

struct Match {
  const Pattern* pattern = nullptr;  ///< borrowed
  Specificity specificity;
};

/// An immutable list of patterns with an index over its exact names. Cheap to copy.
class NamePatterns {
public:
  NamePatterns();
  explicit NamePatterns(std::vector<Pattern> patterns);

  [[nodiscard]] const std::vector<Pattern>& patterns() const;
  /// The most specific pattern that holds `name`; its `pattern` is null where none does.
  [[nodiscard]] Match best(std::string_view name) const;
  /// The doors of all patterns that hold `name`; none where none does.
  [[nodiscard]] Doors doors(std::string_view name) const;
  /// Whether some pattern could hold a name strictly below `name` without holding `name`.
  [[nodiscard]] bool reaches_below(std::string_view name) const;

private:
  struct Index;
  std::shared_ptr<const Index> index_;
};

}  // namespace schultor::policy
