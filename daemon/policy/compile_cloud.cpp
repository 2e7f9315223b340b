// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "daemon/policy/compile_cloud.hpp"

#include "daemon/policy/compile_names.hpp"

namespace schultor::policy {

void compile_cloud(const config::City& city, Policy& policy, config::Diagnostics& out) {
  policy.gate.cloud = compile_names(city.cloud_domains, out);
  check_cloud_names(city.cloud_domains, out);
}

}  // namespace schultor::policy
