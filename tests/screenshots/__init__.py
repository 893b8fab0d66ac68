"""Pictures of every page, in light and dark, on a desktop and on a phone."""
