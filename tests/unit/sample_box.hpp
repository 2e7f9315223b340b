// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include <string>

/// A gateway.toml of which nothing is to be said, for tests that are about something else.
namespace schultor::sample {

/// `interfaces`: of [lan], as they are written: "\"lan0\", \"lan1\"".
inline std::string box(const std::string& interfaces = "\"lan0\"") {
  return "school = \"ggs-am-park\"\ntimezone = \"Europe/Berlin\"\n[lan]\ninterfaces = [" + interfaces +
         "]\naddresses = [\"10.77.0.1/16\"]\n[wan]\ninterface = \"wan0\"\n[management]\nprefixes = []\n[resolver]\naddress = "
         "\"127.0.0.1:5335\"\n";
}

}  // namespace schultor::sample
