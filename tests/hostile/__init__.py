"""The page, the image loader and the command line under attack."""
