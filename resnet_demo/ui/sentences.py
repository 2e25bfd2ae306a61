"""What a visitor is told when something goes wrong: one sentence, and never a traceback in its place."""

import gradio as gr

from resnet_demo.ui.language import later, t, told

GONE = later("That photo is not on this server (any more): send it again.")
EXPIRED = later("Nothing is shown here, or it is older than an hour: choose a photo.")
LOST = later("This server does not remember this page any more, as after a restart: reload it.")
MISFIT = later("That request does not fit this page: reload it and try again.")
STOPPING = later("This server is shutting down: try again in a minute.")
TOO_LARGE = later("That is more than this page accepts: send a smaller file.")
ELSEWHERE = later("This page accepts requests only from itself, not from other websites.")
DISK_FULL = later("The disk of this server is full: try again later.")
DEFECT = later("Something went wrong on this server: try again, or try another photo or network.")


class Sentence(gr.Error):
    """One sentence for the visitor; it leaves no traceback in the log."""

    def __init__(self, message: str) -> None:
        super().__init__(told(message), title=t("Error"), print_exception=False)
