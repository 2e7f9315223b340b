// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/base/log.hpp"

#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#include <unistd.h>
#include <cstdlib>
#include <vector>

namespace schultor::base {
namespace {

/// systemd.exec(5), $JOURNAL_STREAM: device and inode of the stream, to be compared with standard error's.
bool standard_error_is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || fstat(STDERR_FILENO, &status) != 0) return false;
  return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

}  // namespace

void log(Priority priority, std::string_view message_id, std::string_view message, std::initializer_list<LogField> fields) {
  static const bool journal = standard_error_is_journal();
  if (!journal) {
    std::string line = fmt::format("<{}>{}", static_cast<int>(priority), message);
    for (const auto& [name, value] : fields) line += fmt::format(" {}={}", name, value);
    line += '\n';
    // Nothing is left to tell it to when standard error is gone.
    [[maybe_unused]] const auto written = write(STDERR_FILENO, line.data(), line.size());
    return;
  }
  std::vector<std::string> texts;
  texts.reserve(fields.size() + 3);
  texts.push_back(fmt::format("MESSAGE={}", message));
  texts.push_back(fmt::format("PRIORITY={}", static_cast<int>(priority)));
  if (!message_id.empty()) texts.push_back(fmt::format("MESSAGE_ID={}", message_id));
  for (const auto& [name, value] : fields) texts.push_back(fmt::format("{}={}", name, value));
  std::vector<iovec> parts;
  parts.reserve(texts.size());
  for (auto& text : texts) parts.push_back({text.data(), text.size()});
  sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
}

}  // namespace schultor::base
