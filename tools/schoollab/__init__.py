# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""A school on one machine, in network namespaces of its own. tools/lab is its command line."""
