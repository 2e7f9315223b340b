// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/report/options.hpp"

#include "daemon/base/log.hpp"
#include "daemon/config/load.hpp"

#include <cstdlib>

namespace schultor::report {

base::Result<Reporter::Options> read_options(const std::filesystem::path& configuration, const std::filesystem::path& state) {
  const auto loaded = config::load(configuration, config::Need::reporting());
  for (const auto& diagnostic : loaded.diagnostics) base::log(base::Priority::error, {}, config::to_string(diagnostic));
  if (!loaded.config || !loaded.config->gateway.operations)
    return base::fail("{} does not say how the city is reached: mend gateway.toml", configuration.string());

  const auto& operations = *loaded.config->gateway.operations;
  const char* credentials = std::getenv("CREDENTIALS_DIRECTORY");
  const auto file = [&](const std::string& path) {
    return (std::filesystem::path(credentials ? credentials : "") / path).string();
  };
  Reporter::Options options;
  options.school = loaded.config->gateway.school.value;
  options.broker = {operations.host, operations.port, file(operations.ca), file(operations.certificate), file(operations.key)};
  options.outbox = state / "outbox.db";
  options.now = [] { return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()); };
  return options;
}

}  // namespace schultor::report
