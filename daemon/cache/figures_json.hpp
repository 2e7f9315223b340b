// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#pragma once

#include "daemon/cache/figures.hpp"

#include <string>
#include <vector>

namespace schultor::cache {

/// {"origins": [{"origin", "days": [{"day": "2026-11-23", "requests", "hits", "served", "fetches", "fetched", "saved"}]}]}, both in
/// order. Pure.
[[nodiscard]] std::string figures_json(const std::vector<FiguresFile::Row>& rows);

}  // namespace schultor::cache
