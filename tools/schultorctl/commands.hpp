// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "tools/schultorctl/command_line.hpp"

/// The commands. Each prints its answer to standard output and its errors to standard error.
namespace schultor::ctl {

/// An error, one line on standard error.
void complain(std::string_view text);

Exit validate(const Request& request);
Exit policy(const Request& request);
Exit timeline(const Request& request);
Exit explain(const Request& request);
Exit roster(const Request& request);
Exit lists(const Request& request);
Exit status(const Request& request);
Exit devices(const Request& request);
Exit gate(const Request& request);
Exit cache(const Request& request);
Exit metrics(const Request& request);
Exit override_profile(const Request& request);
Exit events(const Request& request);
Exit ruleset(const Request& request);
Exit verify(const Request& request);
Exit reload(const Request& request);

}  // namespace schultor::ctl
