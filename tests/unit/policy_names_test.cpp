// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/name_patterns.hpp"
#include "tests/catch.hpp"

#include <random>
#include <string>
#include <vector>

using namespace schultor::policy;

namespace {

NamePatterns patterns(const std::vector<std::string>& texts) {
  std::vector<Pattern> list;
  for (const auto& text : texts) {
    auto pattern = parse_pattern(text, {"t", 1});
    REQUIRE(pattern);
    list.push_back(*pattern);
  }
  return NamePatterns(list);
}

std::string best_of(const NamePatterns& names, const std::string& name) {
  const auto match = names.best(name);
  return match.pattern == nullptr ? "" : match.pattern->text;
}

std::vector<std::string> labels_of(const std::string& name) {
  std::vector<std::string> labels(1);
  for (const char c : name) {
    if (c == '.') labels.emplace_back();
    else labels.back() += c;
  }
  return labels;
}

bool glob(const std::string& pattern, const std::string& text, std::size_t p = 0, std::size_t t = 0) {
  if (p == pattern.size()) return t == text.size();
  if (pattern[p] == '*') return glob(pattern, text, p + 1, t) || (t < text.size() && glob(pattern, text, p, t + 1));
  return t < text.size() && pattern[p] == text[t] && glob(pattern, text, p + 1, t + 1);
}

/// The contract read literally: every label of the pattern fits, from the right.
bool holds(const std::string& pattern, const std::string& name) {
  const auto wanted = labels_of(pattern);
  const auto given = labels_of(name);
  if (wanted.size() > given.size()) return false;
  for (std::size_t i = 1; i <= wanted.size(); ++i)
    if (!glob(wanted[wanted.size() - i], given[given.size() - i])) return false;
  return true;
}

}  // namespace

TEST_CASE("a bare name means it and all below it, and no name beside it") {
  const auto names = patterns({"mnspro.cloud"});
  CHECK(best_of(names, "mnspro.cloud") == "mnspro.cloud");
  CHECK(best_of(names, "a.b.mnspro.cloud") == "mnspro.cloud");
  CHECK(best_of(names, "notmnspro.cloud").empty());
  CHECK(best_of(names, "cloud").empty());
  CHECK(best_of(names, "mnspro.cloud.evil.test").empty());
  CHECK(best_of(names, "").empty());
}

TEST_CASE("a wildcard stands for characters within one label") {
  const auto names = patterns({"*-files.sharepoint.com", "*.cdn.test", "autodiscover.*.mail.test", "a*b*c.test"});
  CHECK(best_of(names, "schule-files.sharepoint.com") == "*-files.sharepoint.com");
  CHECK(best_of(names, "-files.sharepoint.com") == "*-files.sharepoint.com");
  CHECK(best_of(names, "x.schule-files.sharepoint.com") == "*-files.sharepoint.com");
  CHECK(best_of(names, "files.sharepoint.com").empty());
  CHECK(best_of(names, "evil.com-files.sharepoint.com.test").empty());
  CHECK(best_of(names, "cdn.test").empty());
  CHECK(best_of(names, "x.cdn.test") == "*.cdn.test");
  CHECK(best_of(names, "y.x.cdn.test") == "*.cdn.test");
  CHECK(best_of(names, "autodiscover.schule.mail.test") == "autodiscover.*.mail.test");
  CHECK(best_of(names, "autodiscover.mail.test").empty());
  CHECK(best_of(names, "axxbyyc.test") == "a*b*c.test");
  CHECK(best_of(names, "abcb.test").empty());
}

TEST_CASE("more labels are more specific, then exact before wildcard") {
  const auto names = patterns({"*.b.test", "b.test", "a.b.test", "x*.a.b.test"});
  CHECK(best_of(names, "b.test") == "b.test");
  CHECK(best_of(names, "c.b.test") == "*.b.test");
  CHECK(best_of(names, "a.b.test") == "a.b.test");
  CHECK(best_of(names, "xy.a.b.test") == "x*.a.b.test");
  CHECK(Specificity{3, false} > Specificity{2, true});
  CHECK(Specificity{3, true} > Specificity{3, false});
}

TEST_CASE("RFC 8020: a pattern reaches below the names above it, not those that it holds") {
  const auto names = patterns({"www.lernen.test", "*-files.sharepoint.com", "a.*.mail.test"});
  CHECK(names.reaches_below("lernen.test"));
  CHECK(names.reaches_below("test"));
  CHECK(names.reaches_below(""));
  CHECK_FALSE(names.reaches_below("www.lernen.test"));
  CHECK_FALSE(names.reaches_below("x.www.lernen.test"));
  CHECK_FALSE(names.reaches_below("ernen.test"));
  CHECK(names.reaches_below("sharepoint.com"));
  CHECK_FALSE(names.reaches_below("a-files.sharepoint.com"));
  CHECK_FALSE(names.reaches_below("other.sharepoint.com"));
  CHECK(names.reaches_below("any.mail.test"));
  CHECK(names.reaches_below("mail.test"));
  CHECK_FALSE(names.reaches_below("b.any.mail.test"));
  CHECK_FALSE(NamePatterns().reaches_below(""));
}

TEST_CASE("an entry is brought into one spelling, and what is no name is refused") {
  CHECK(parse_pattern("WWW.Lernen.TEST.", {})->text == "www.lernen.test");
  CHECK(parse_pattern("_dmarc.a-b.test", {})->text == "_dmarc.a-b.test");
  CHECK(parse_pattern("*.A.b", {})->text == "*.a.b");
  const std::string label(63, 'a');
  CHECK(parse_pattern(label + ".test", {}));
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".test"), std::string("a..test"), std::string("a.test.."), std::string("*"),
        std::string("a.*"), std::string("a b.test"), std::string("http://a.test"), std::string("a.test/x"),
        std::string("bücher.test"), "a" + label + ".test", label + "." + label + "." + label + "." + label + ".test",
        std::string("a\0.test", 7)}) {
    INFO(text);
    CHECK_FALSE(parse_pattern(text, {}));
  }
}

TEST_CASE("an address is no name, a number in front of one is") {
  for (const auto* address : {"1.2.3.4", "8.8.8.8.", "*.8.8", "7"}) {
    const auto pattern = parse_pattern(address, {});
    INFO(address);
    REQUIRE_FALSE(pattern);
    CHECK(std::string(pattern.error().what()).find("no top-level domain") != std::string::npos);
  }
  CHECK(parse_pattern("10.in-addr.arpa", {}));
  CHECK(parse_pattern("1.2.3.4a", {}));
}

TEST_CASE("the index finds what a look at every pattern finds") {
  std::mt19937 random(20260327);
  const std::vector<std::string> labels{"a", "b", "ab", "ba", "aab", "test"};
  const std::vector<std::string> wild{"*", "a*", "*b", "*a*", "a", "b", "ab"};
  const auto pick = [&](const std::vector<std::string>& from) { return from[random() % from.size()]; };
  const auto name = [&](bool wildcards) {
    std::string text = random() % 4 == 0 ? "b.test" : "test";
    for (auto more = random() % 4; more > 0; --more) text = pick(wildcards ? wild : labels) + "." + text;
    return text;
  };
  int held = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<std::string> texts;
    for (int i = 0; i < 8; ++i) texts.push_back(name(true));
    const auto names = patterns(texts);
    for (int i = 0; i < 20; ++i) {
      const auto asked = name(false);
      Specificity best;
      bool found = false;
      bool reaches = false;
      for (const auto& text : texts) {
        const auto count = static_cast<int>(labels_of(text).size());
        if (holds(text, asked)) {
          best = std::max(best, Specificity{count, text.find('*') == std::string::npos});
          found = true;
          continue;
        }
        const auto asked_labels = labels_of(asked).size();
        auto cut = labels_of(text);
        if (cut.size() <= asked_labels) continue;
        std::string tail;
        for (std::size_t k = cut.size() - asked_labels; k < cut.size(); ++k) tail += (tail.empty() ? "" : ".") + cut[k];
        reaches = reaches || holds(tail, asked);
      }
      INFO(asked);
      const auto match = names.best(asked);
      REQUIRE((match.pattern != nullptr) == found);
      if (found) {
        CHECK(match.specificity == best);
        CHECK(holds(match.pattern->text, asked));
        ++held;
      }
      CHECK(names.reaches_below(asked) == reaches);
    }
  }
  CHECK(held > 500);
}
