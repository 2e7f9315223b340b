# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""What the system tests stand on: a school of their own, sockets in any of its hosts, DNS by the byte."""
