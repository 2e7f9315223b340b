// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/base/result.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace schultor::ctl {

/// For people: what the gate has counted, as schultord answers GateStatistics. An error where the document is not of the expected
/// shape.
[[nodiscard]] base::Result<std::string> gate_statistics_text(const nlohmann::ordered_json& statistics);
/// For people: what LogQuestions and EndQuestionLog answer.
[[nodiscard]] base::Result<std::string> question_log_text(const nlohmann::ordered_json& answer);

}  // namespace schultor::ctl
