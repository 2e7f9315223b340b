// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/compile_names.hpp"
#include "daemon/policy/questionable_parts.hpp"

#include <fmt/format.h>

#include <string>

namespace schultor::policy {
namespace {

constexpr std::string_view city_file = "city.toml";

std::string place_of(const Source& source) { return to_string(config::Source{source.file, source.line}); }

/// Judges an entry of allow or block as if it were a name: a `*` of it fits a `*` of another one alone, so that whatever holds the
/// entry holds each name that the entry holds. What is refused then is refused below it as well, but for what other entries allow.
class NameLists {
public:
  NameLists(const Examined& examined, const ProfileNames& profile)
      : gate_(examined.policy.gate), profile_(profile), out_(examined.out) {}

  void question_allow(const std::vector<config::Text>& list) {
    for (const auto& entry : list) {
      const auto pattern = parse_pattern(entry.value, {});
      if (!pattern) continue;
      question_width(entry, pattern->text);
      const auto judgement = judge(gate_, profile_, pattern->text, {});
      if (judgement.verdict != Verdict::refuse || judgement.pattern == nullptr) continue;
      // A school may close what the city allows.
      if (judgement.because == "block" && judgement.pattern->source.file != entry.source.file) continue;
      const auto by = judgement.because == "never" ? "[never]" : judgement.because == "city-block" ? "the city's block" : "block";
      const bool ask = judgement.because != "block" && entry.source.file != city_file;
      out_.warning(entry.source,
                   fmt::format("“{}” stays closed, since {} has “{}” ({}): remove it here{}", entry.value, by,
                               judgement.pattern->text, place_of(judgement.pattern->source), ask ? ", or ask the city" : ""));
    }
  }

  void question_block(const std::vector<config::Text>& list) {
    for (const auto& entry : list) {
      const auto pattern = parse_pattern(entry.value, {});
      if (!pattern) continue;
      const auto judgement = judge(gate_, profile_, pattern->text, {});
      if (judgement.because == "cloud")
        out_.warning(entry.source, fmt::format("“{}” stays open, since [cloud] has “{}” ({}): remove it here", entry.value,
                                               judgement.pattern->text, place_of(judgement.pattern->source)));
      if (judgement.because == "never")
        out_.warning(entry.source, fmt::format("“{}” is closed already, since [never] has “{}” ({}): remove it here", entry.value,
                                               judgement.pattern->text, place_of(judgement.pattern->source)));
    }
  }

  /// What the school adds, and the city has.
  void question_extension(const config::Extension& extension) {
    for (const auto& entry : extension.allow) {
      const auto pattern = parse_pattern(entry.value, {});
      if (!pattern) continue;
      if (const auto cloud = gate_.cloud.best(pattern->text); cloud.pattern != nullptr) {
        is_there_already(entry, "open", "[cloud]", *cloud.pattern);
        continue;
      }
      const auto has = profile_.city_allow.best(pattern->text);
      // It may be an exception from a block of the school's own.
      const auto blocked = profile_.block.best(pattern->text);
      const bool is_exception = blocked.pattern != nullptr && blocked.specificity >= has.specificity;
      if (has.pattern != nullptr && !is_exception && judge(gate_, profile_, pattern->text, {}).verdict == Verdict::allow)
        is_there_already(entry, "allowed", "the city's profile", *has.pattern);
    }
    for (const auto& entry : extension.block) {
      const auto pattern = parse_pattern(entry.value, {});
      if (!pattern) continue;
      const auto judgement = judge(gate_, profile_, pattern->text, {});
      if (judgement.because == "city-block") is_there_already(entry, "blocked", "the city's profile", *judgement.pattern);
    }
  }

private:
  /// A zone of the school's own may be a single label.
  void question_width(const config::Text& entry, std::string_view pattern) {
    if (!profile_.listed || !holds_top_level(pattern) || gate_.local.best(pattern).pattern != nullptr) return;
    out_.warning(
        entry.source,
        fmt::format("“{}” allows a whole top-level domain, in profile “{}” that is to allow what is listed alone: expected "
                    "the names that are meant",
                    entry.value, profile_.name));
  }

  void is_there_already(const config::Text& entry, std::string_view what, std::string_view where, const Pattern& pattern) {
    out_.warning(entry.source, fmt::format("“{}” is {} already, since {} has “{}” ({}): remove it here", entry.value, what, where,
                                           pattern.text, place_of(pattern.source)));
  }

  const GateRules& gate_;
  const ProfileNames& profile_;
  config::Diagnostics& out_;
};

/// The cloud comes first.
void question_never(const Examined& examined) {
  for (const auto& entry : examined.config.city.never_domains) {
    const auto pattern = parse_pattern(entry.value, {});
    if (!pattern) continue;
    if (const auto cloud = examined.policy.gate.cloud.best(pattern->text); cloud.pattern != nullptr)
      examined.out.warning(entry.source, fmt::format("“{}” is never closed, since [cloud] has “{}” ({}): remove it here, or there",
                                                     entry.value, cloud.pattern->text, place_of(cloud.pattern->source)));
  }
}

}  // namespace

void question_names(const Examined& examined) {
  question_never(examined);
  for (const auto* list : {&examined.config.city.profiles, &examined.config.school.profiles})
    for (const auto& profile : *list) {
      const auto* names = examined.policy.find_profile(profile.name.value);
      if (names == nullptr) continue;
      NameLists lists(examined, *names);
      lists.question_allow(profile.allow);
      lists.question_block(profile.block);
    }
  for (const auto& extension : examined.config.school.extensions) {
    const auto* names = examined.policy.find_profile(extension.profile.value);
    if (names == nullptr) continue;
    NameLists lists(examined, *names);
    lists.question_allow(extension.allow);
    lists.question_block(extension.block);
    lists.question_extension(extension);
  }
}

}  // namespace schultor::policy
