from .flow import gradient_flow as gradient_flow, sample_images as sample_images
from .lesion import (
    check_blocks as check_blocks,
    draw_blocks as draw_blocks,
    find_study as find_study,
    lesion_errors as lesion_errors,
    predict_lesioned as predict_lesioned,
    read_study as read_study,
    several_errors as several_errors,
    write_study as write_study,
)
from .tour import TOUR as TOUR, find_stop as find_stop
