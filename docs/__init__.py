"""README's pictures, and what takes those of the page."""
