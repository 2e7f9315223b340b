// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#include "tools/schultorctl/commands.hpp"

namespace schultor::ctl {

Exit roster(const Request& request) {
  complain(fmt::format("roster import: {} cannot be read yet", request.arguments.back()));
  return Exit::failed;
}

}  // namespace schultor::ctl
