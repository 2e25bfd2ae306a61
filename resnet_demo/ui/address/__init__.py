"""The address of what is shown, in the browser's address bar: to be copied, put on a slide, and gone back from."""

import json
from typing import Any

from resnet_demo.ui.drawn import Drawn


class Address(Drawn):
    """Takes a view: the parameters of the query that shows the same again, with the id of the tab as "tab". Empty
    texts are left out, except for "removed" and "depths", where none is a choice too. What the view "says" is no
    parameter: it is the sentence that a screen reader announces once the tab is open. It shows nothing."""

    folder = "address"

    def postprocess(self, value: Any) -> Any:
        """The view as JSON."""
        if value is None:
            return None
        return json.dumps({key: text for key, text in value.items() if text or key in ("removed", "depths")})
