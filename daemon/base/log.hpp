// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace schultor::base {

/// Priorities of syslog(3).
enum class Priority : int { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

/// A field beside the message, named as systemd.journal-fields(7) wants it: upper case, e.g. {"SCHULTOR_GROUP", "3b"}.
using LogField = std::pair<std::string_view, std::string>;

/// Writes one entry: to the journal when standard error leads there (JOURNAL_STREAM),
/// else one line to standard error. `message_id` is a 128-bit id in hexadecimal from
/// daemon/base/message_ids.hpp with an entry in units/schultor.catalog, or empty.
/// Log once, at the edge that gives up or acts.
void log(Priority priority, std::string_view message_id, std::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace schultor::base
