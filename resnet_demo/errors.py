"""The one exception that is meant for the person at the keyboard."""


class InputError(ValueError):
    """Something its user can mend. The message is one clear sentence that says what is wrong and what to do; the
    page and the command line show it as it is, and let every other exception be the defect that it is."""
