# SPDX-License-Identifier: Apache-2.0

"""The parts of vm-tests/run that run on the host."""
