# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2

# What looks at the tree instead of running it: cmake --build build/dev --target format | format-check | tidy | check-layers
add_custom_target(format COMMAND "${PROJECT_SOURCE_DIR}/tools/lint" format USES_TERMINAL)
add_custom_target(format-check COMMAND "${PROJECT_SOURCE_DIR}/tools/lint" format-check USES_TERMINAL)
add_custom_target(tidy COMMAND "${PROJECT_SOURCE_DIR}/tools/lint" tidy "${PROJECT_BINARY_DIR}" USES_TERMINAL)
add_custom_target(check-layers COMMAND "${PROJECT_SOURCE_DIR}/tools/check-layers" USES_TERMINAL)

if(BUILD_TESTING)
  add_test(NAME layers COMMAND "${PROJECT_SOURCE_DIR}/tools/check-layers")
  add_test(NAME layers_finds_violations COMMAND "${PROJECT_SOURCE_DIR}/tools/check-layers" --self-test)
  # Label tree: needs no program of ours, so a build under sanitizers leaves it out.
  set_tests_properties(layers layers_finds_violations PROPERTIES LABELS "unit;tree" TIMEOUT 60)
endif()
