from .loading import (
    EXAMPLES as EXAMPLES,
    MAX_BYTES as MAX_BYTES,
    MAX_SIDE as MAX_SIDE,
    SUFFIXES as SUFFIXES,
    ImageSource as ImageSource,
    load_image as load_image,
)
