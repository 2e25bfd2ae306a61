"""Entry point of a Hugging Face Space: the page, with the options of `python -m resnet_demo page`."""

import sys

from resnet_demo.__main__ import main

if __name__ == "__main__":
    if sys.argv[1:2] != ["page"]:
        sys.argv.insert(1, "page")
    main()
