"""Import this before a component is defined, beside whose file Gradio would write a stub. But nothing is to be written
into an installed package, and a type checker would read the stub instead of the file.
"""

import gradio.component_meta

gradio.component_meta.create_or_modify_pyi = lambda *_: None
