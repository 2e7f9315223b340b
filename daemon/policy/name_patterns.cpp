// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/name_patterns.hpp"

#include <algorithm>
#include <cstddef>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace schultor::policy {
namespace {

constexpr std::size_t longest_name = 253;
constexpr std::size_t longest_label = 63;

bool is_wildcard(std::string_view text) { return text.find('*') != std::string_view::npos; }

int count_labels(std::string_view name) {
  return name.empty() ? 0 : 1 + static_cast<int>(std::count(name.begin(), name.end(), '.'));
}

/// What is left of a name without its first label; empty for the last one.
std::string_view parent(std::string_view name) {
  const auto dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
}

/// Cuts the last label off `name` and returns it.
std::string_view take_last_label(std::string_view& name) {
  const auto dot = name.rfind('.');
  const auto label = dot == std::string_view::npos ? name : name.substr(dot + 1);
  name = dot == std::string_view::npos ? std::string_view{} : name.substr(0, dot);
  return label;
}

/// Whether `label` fits `pattern`, in which '*' stands for any run of characters, an empty one too.
bool label_fits(std::string_view pattern, std::string_view label) {
  std::size_t p = 0;
  std::size_t l = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (l < label.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = l;
    } else if (p < pattern.size() && pattern[p] == label[l]) {
      ++p;
      ++l;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      l = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

/// A pattern with a wildcard, cut where its last wildcard label ends.
struct Wildcard {
  std::size_t pattern = 0;  ///< index
  std::string_view head;    ///< up to and with the last wildcard label: "*-files"
  int labels = 0;           ///< of the whole pattern
};

/// Whether the last labels of `name` fit those of `head`, as many as the shorter one has.
bool ends_fit(std::string_view head, std::string_view name) {
  while (!head.empty() && !name.empty()) {
    const auto wanted = take_last_label(head);
    if (!label_fits(wanted, take_last_label(name))) return false;
  }
  return true;
}

/// What stands before `tail` and its dot in `name`.
std::string_view before(std::string_view name, std::string_view tail) {
  if (tail.empty()) return name;
  return name.size() == tail.size() ? std::string_view{} : name.substr(0, name.size() - tail.size() - 1);
}

base::Result<void> check_label(std::string_view label, std::string_view text) {
  if (label.empty()) return base::fail("“{}” has an empty label: expected a name such as lernen.example", text);
  if (label.size() > longest_label) return base::fail("“{}” has a label of more than {} characters", text, longest_label);
  for (const char c : label) {
    if (static_cast<unsigned char>(c) >= 0x80)
      return base::fail("“{}” has letters beyond ASCII: expected the name's A-labels, as in xn--bcher-kva.example", text);
    const bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '*';
    if (!fine) return base::fail("“{}” is no domain name: expected letters, digits, “-”, “_” and “*” between dots", text);
  }
  return {};
}

}  // namespace

base::Result<Pattern> parse_pattern(std::string_view text, Source source) {
  if (text.size() > longest_name + 1)
    return base::fail("“{}…” is longer than a domain name may be ({} characters)", text.substr(0, 40), longest_name);
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (!name.empty() && name.back() == '.') name.pop_back();
  if (name.size() > longest_name)
    return base::fail("“{}…” is longer than a domain name may be ({} characters)", text.substr(0, 40), longest_name);
  if (name.empty()) return base::fail("“{}” is no domain name: expected one such as lernen.example", text);
  std::string_view rest = name;
  const auto last = take_last_label(rest);
  if (auto checked = check_label(last, text); !checked) return base::pass(std::move(checked));
  if (is_wildcard(last))
    return base::fail("“{}” leaves its last label open: expected a name below a fixed one, such as *.lernen.example", text);
  if (last.find_first_not_of("0123456789") == std::string_view::npos)
    return base::fail("“{}” ends in “{}”, which is no top-level domain: expected a name such as lernen.example, and no address",
                      text, last);
  // rest is empty both when there was one label and when the first of two is empty.
  if (rest.empty() && name.size() != last.size())
    return base::fail("“{}” begins with a dot: write {} for it and all below it", text, last);
  while (!rest.empty()) {
    const bool leading_dot = rest.front() == '.';
    if (leading_dot) return base::fail("“{}” has an empty label: a name without a dot in front means it and all below it", text);
    if (auto checked = check_label(take_last_label(rest), text); !checked) return base::pass(std::move(checked));
  }
  return Pattern{std::move(name), std::move(source)};
}

struct NamePatterns::Index {
  std::vector<Pattern> patterns;
  std::unordered_map<std::string_view, std::size_t> exact;
  std::unordered_map<std::string_view, std::vector<Wildcard>> by_tail;  ///< the labels after the last wildcard
  std::unordered_set<std::string_view> above;                           ///< names without wildcards that lie above a pattern

  explicit Index(std::vector<Pattern> list) : patterns(std::move(list)) {
    exact.reserve(patterns.size());
    for (std::size_t i = 0; i < patterns.size(); ++i) add(i);
  }

  void add(std::size_t number) {
    const std::string_view text = patterns[number].text;
    std::string_view tail = text;
    if (is_wildcard(text)) {
      while (is_wildcard(tail)) tail = parent(tail);
      by_tail[tail].push_back({number, before(text, tail), count_labels(text)});
      above.insert(tail);
    } else if (const auto [first, fresh] = exact.try_emplace(text, number); !fresh) {
      patterns[first->second].doors |= patterns[number].doors;
    }
    // Where one ancestor is known, all further up are.
    while (!tail.empty()) {
      tail = parent(tail);
      if (!above.insert(tail).second) break;
    }
  }

  /// Calls `visit(pattern's index, specificity)` for every pattern that holds `name`.
  template <typename Visit>
  void for_each_match(std::string_view name, Visit&& visit) const {
    if (patterns.empty() || name.size() > longest_name) return;
    const int labels = count_labels(name);
    std::string_view tail = name;
    for (int tail_labels = labels; tail_labels > 0; --tail_labels, tail = parent(tail)) {
      if (const auto found = exact.find(tail); found != exact.end()) visit(found->second, Specificity{tail_labels, true});
      const auto found = by_tail.find(tail);
      if (found == by_tail.end()) continue;
      for (const auto& wildcard : found->second)
        if (wildcard.labels <= labels && ends_fit(wildcard.head, before(name, tail)))
          visit(wildcard.pattern, Specificity{wildcard.labels, false});
    }
  }
};

NamePatterns::NamePatterns() : NamePatterns(std::vector<Pattern>{}) {}

NamePatterns::NamePatterns(std::vector<Pattern> patterns) : index_(std::make_shared<const Index>(std::move(patterns))) {}

const std::vector<Pattern>& NamePatterns::patterns() const { return index_->patterns; }

Match NamePatterns::best(std::string_view name) const {
  Match best;
  index_->for_each_match(name, [&](std::size_t pattern, Specificity specificity) {
    if (best.pattern == nullptr || specificity > best.specificity) best = {&index_->patterns[pattern], specificity};
  });
  return best;
}

Doors NamePatterns::doors(std::string_view name) const {
  Doors doors = 0;
  index_->for_each_match(name, [&](std::size_t pattern, Specificity) { doors |= index_->patterns[pattern].doors; });
  return doors;
}

bool NamePatterns::reaches_below(std::string_view name) const {
  if (index_->patterns.empty() || name.size() > longest_name) return false;
  if (index_->above.contains(name)) return true;
  const int labels = count_labels(name);
  for (std::string_view tail = name; !tail.empty(); tail = parent(tail)) {
    const auto found = index_->by_tail.find(tail);
    if (found == index_->by_tail.end()) continue;
    for (const auto& wildcard : found->second)
      if (wildcard.labels > labels && ends_fit(wildcard.head, before(name, tail))) return true;
  }
  return false;
}

}  // namespace schultor::policy
