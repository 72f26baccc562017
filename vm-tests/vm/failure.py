# SPDX-License-Identifier: Apache-2.0

"""What went wrong, in words for the user."""


class Failure(Exception):
    """Ends the program with this message."""
