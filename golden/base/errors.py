"""The two kinds of failure that a user can mend; the command line turns them into one sentence."""


class InputError(ValueError):
    """What the user gave is bad: the text says what was wrong, what is allowed. Exit status 2."""


class ToolError(RuntimeError):
    """A tool or library is missing or failed: the text names it. Exit status 1."""
