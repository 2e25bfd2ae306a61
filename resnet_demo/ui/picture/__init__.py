"""A photo, whole and in proportion, with a layer exactly over it: Gradio has no component that keeps the two together.

Both pictures travel inside the answer. So nothing that a visitor sees is ever a file on the server, which others could
request and which would have to be deleted.
"""

import base64
import io
from dataclasses import dataclass
from html import escape
from typing import Any

from PIL import Image

from resnet_demo.ui.drawn import Drawn
from resnet_demo.ui.language import t

QUALITY = 90


@dataclass(frozen=True, eq=False)
class Overlaid:
    """What a `Picture` shows.

    photo     RGB, or RGBA where it is see-through
    veil      RGB of the same size, laid over the photo with `opacity`, 0 to 1; None if there is nothing to lay over it
    alt       what it shows, for those who cannot see it
    """

    photo: Image.Image
    veil: Image.Image | None = None
    opacity: float = 0.5
    alt: str = ""


class Picture(Drawn):
    """As large as `room` (a CSS length: the height) and the width of its column allow.

    divider   the name of a divider between photo and veil, which can be moved by mouse, touch and arrow keys; in
              English, as every visitor is answered by the same component. No divider if empty
    """

    folder = "picture"

    def __init__(
        self,
        value: Overlaid | None = None,
        *,
        room: str = "260px",
        divider: str = "",
        elem_id: str | None = None,
        **options: Any,
    ) -> None:
        self.room, self.divider = room, divider
        super().__init__(value, elem_id=elem_id, **options)

    def postprocess(self, value: Any) -> Any:
        """Everything that the template shows of an `Overlaid`, or None: in a tab that is not open yet Gradio forgets a
        component's own settings."""
        if value is None:
            return None
        width, height = value.photo.size
        return {
            "photo": data_url(value.photo),
            "veil": data_url(value.veil) if value.veil else "",
            "opacity": value.opacity,
            "width": width,
            "height": height,
            "alt": escape(value.alt),
            "room": self.room,
            "divider": t(self.divider) if value.veil else "",
        }


def data_url(picture: Image.Image) -> str:
    """The picture as JPEG, or PNG if it is see-through."""
    form = "PNG" if picture.mode == "RGBA" else "JPEG"
    buffer = io.BytesIO()
    picture.save(buffer, form, quality=QUALITY)
    return f"data:image/{form.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"
