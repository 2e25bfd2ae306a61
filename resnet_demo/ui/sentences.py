"""What a visitor is told when something goes wrong: one sentence, and never a traceback in its place."""

import gradio as gr

GONE = "That photo is not on this server (any more): send it again."
EXPIRED = "Nothing is shown here, or it is older than an hour: choose a photo."
MISFIT = "That request does not fit this page: reload it and try again."
STOPPING = "This server is shutting down: try again in a minute."
TOO_LARGE = "That is more than this page accepts: send a smaller file."
ELSEWHERE = "This page accepts requests only from itself, not from other websites."
DISK_FULL = "The disk of this server is full: try again later."
DEFECT = "Something went wrong on this server: try again, or try another photo or network."


class Sentence(gr.Error):
    """One sentence for the visitor; it leaves no traceback in the log."""

    def __init__(self, message: str) -> None:
        super().__init__(message, print_exception=False)
