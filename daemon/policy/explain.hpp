// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/policy/schedule.hpp"

#include <string>
#include <string_view>

namespace schultor::policy {

/// What would be said to a device of a group that asks for a name, and why.
struct Explanation {
  std::string name;  ///< as judged: lower case, no trailing dot
  std::string group;
  Holding holding;  ///< the profile that holds, and why
  Verdict verdict = Verdict::refuse;
  std::string rewrite;    ///< the name that it is answered with in its place; empty: as it is
  std::string kept;       ///< the origin of the cache that answers in its place, while that is well; empty: none
  std::string because;    ///< cloud | never | city-block | allow | block | default | safe-search | special | origin
  std::string rule_text;  ///< the pattern, or "profile school is listed"
  Source rule;
  std::string list{};   ///< the list that decided; `rule` is then where it is named. Empty: none did
  std::string entry{};  ///< that list's entry
  Ports ports{};        ///< of a cloud name: what it is open on, by all patterns that hold it; else none, since ports do not matter
};

/// `name`, a DNS name in any spelling, as it is judged; an error says why it is none.
[[nodiscard]] base::Result<std::string> judged_name(std::string_view name);

/// `name` in any spelling. `hits`: the lists that hold it, numbered as they are in the policy.
[[nodiscard]] base::Result<Explanation> explain(const Policy& policy, const Group& group, Seconds at, std::string_view name,
                                                const lists::Hits& hits = {});

}  // namespace schultor::policy
