from .flow import gradient_flow as gradient_flow, sample_images as sample_images
from .landscape import landscape_rows as landscape_rows, random_directions as random_directions
from .lesion import (
    check_blocks as check_blocks,
    draw_blocks as draw_blocks,
    lesion_errors as lesion_errors,
    predict_lesioned as predict_lesioned,
    several_errors as several_errors,
)
from .studies import (
    find_study as find_study,
    folder_of as folder_of,
    read_study as read_study,
    write_study as write_study,
)
from .tour import TOUR as TOUR, find_stop as find_stop
from .trained import trained_layers as trained_layers
