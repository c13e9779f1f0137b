# SPDX-License-Identifier: BSD-2-Clause
"""A module for each loader. README.md in the folder above describes what they define."""
