"""One file for each tab: its components, its events, every word that it shows. What tabs share is in ui/html.py."""
