// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace schultor::ctl {

/// For people: an event as one line, "time  kind  what". Of a kind that is not known here, or of another shape than expected, what
/// it holds stands there as JSON.
[[nodiscard]] std::string event_text(const nlohmann::ordered_json& event);

}  // namespace schultor::ctl
