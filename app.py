"""What a Hugging Face Space runs: the page, as `python -m resnet_demo page` opens it, with the same options."""

import sys

from resnet_demo.__main__ import main

if __name__ == "__main__":
    if sys.argv[1:2] != ["page"]:
        sys.argv.insert(1, "page")
    main()
