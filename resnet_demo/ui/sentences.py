"""What a visitor is told when something goes wrong: one sentence, and never a traceback in its place."""

import gradio as gr

GONE = "That photo is not here, or not any more: send it again."
MISFIT = "That request does not fit this page: reload it and try again."
STOPPING = "This server is being stopped: try again in a minute."
TOO_LARGE = "That is more than this page takes: send a smaller file."
ELSEWHERE = "This page takes requests from itself alone, not from other web sites."
DISK_FULL = "The disk of this server is full: try again later."
DEFECT = "Something went wrong on this server: try again, or try another photo or network."


class Sentence(gr.Error):
    """One sentence for the visitor; the log needs no traceback of it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, print_exception=False)
