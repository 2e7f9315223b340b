// SPDX-FileCopyrightText: Schultor contributors
// SPDX-License-Identifier: EUPL-1.2
#define CATCH_CONFIG_MAIN
#include "tests/catch.hpp"
